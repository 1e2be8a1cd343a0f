//! The keys that sign the log: Ed25519 (RFC 8032), private ones as PKCS #8 (RFC 5958), public ones as `SubjectPublicKeyInfo`
//! (RFC 8410), both as PEM (RFC 7468).

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

use crate::chain::hash;
use crate::segment::{folder, open};

/// No file with a key is longer, in bytes.
const LONGEST: u64 = 64 << 10;
/// What `SubjectPublicKeyInfo` has before the 32 bytes of an Ed25519 key (RFC 8410, section 4).
const BEFORE: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Why a file is no key that can be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read, or not be made.
    #[error(transparent)]
    File(#[from] io::Error),
    /// Others may read it.
    #[error("it has the mode {:03o}: nobody but its owner may read a private key (chmod 600)", .0 & 0o777)]
    Mode(u32),
    /// It is no key of this kind.
    #[error("it holds no Ed25519 {0} key as PEM")]
    Kind(&'static str),
}

/// The public half of a key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    der: Vec<u8>,
    id: String,
}

impl PublicKey {
    /// Reads a public key as PEM.
    ///
    /// # Errors
    /// Where the file cannot be read or holds another thing.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(&bytes(open(path)?)?);
        der.ok()
            .and_then(|der| Self::of(&der))
            .ok_or(KeyError::Kind("public"))
    }

    /// The key that is this DER.
    fn of(der: &[u8]) -> Option<Self> {
        let key = der.strip_prefix(&BEFORE)?;
        (key.len() == 32).then(|| Self {
            der: der.to_vec(),
            id: hash(der),
        })
    }

    /// The key that is this DER in base64.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        Self::of(&BASE64_STANDARD.decode(text).ok()?)
    }

    /// Its DER in base64.
    pub(crate) fn encode(&self) -> String {
        BASE64_STANDARD.encode(&self.der)
    }

    /// The SHA-256 (hex) of its DER.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// As PEM.
    pub fn pem(&self) -> String {
        pem("PUBLIC KEY", &self.der)
    }

    /// Whether `signature` (base64) is this key's over `text`.
    pub(crate) fn signed(&self, text: &str, signature: &str) -> bool {
        let key = self.der.strip_prefix(&BEFORE).unwrap_or_default();
        let signature = BASE64_STANDARD.decode(signature).unwrap_or_default();
        UnparsedPublicKey::new(&ED25519, key)
            .verify(text.as_bytes(), &signature)
            .is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.id).finish()
    }
}

/// A key that signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// Makes a key and writes it to a new file at `path` with mode 0600, durably.
    ///
    /// # Errors
    /// Where the file is there already or cannot be written.
    pub fn generate(path: &Path) -> Result<PublicKey, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(io::Error::other)?;
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(io::Error::other)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(pem("PRIVATE KEY", der.as_ref()).as_bytes())?;
        file.sync_all()?;
        std::fs::File::open(folder(path))?.sync_all()?;
        Self::from(pair).map(|key| key.public)
    }

    /// Reads a private key as PEM, unencrypted.
    ///
    /// # Errors
    /// Where the file cannot be read, may be read by others, or holds another thing.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let file = open(path)?;
        let mode = file.metadata()?.mode();
        if mode & 0o077 != 0 {
            return Err(KeyError::Mode(mode));
        }
        let wrong = || KeyError::Kind("private");
        let der = PrivatePkcs8KeyDer::from_pem_slice(&bytes(file)?).map_err(|_| wrong())?;
        Self::from(Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| wrong())?)
    }

    fn from(pair: Ed25519KeyPair) -> Result<Self, KeyError> {
        let der = [&BEFORE, pair.public_key().as_ref()].concat();
        let public = PublicKey::of(&der).ok_or(KeyError::Kind("private"))?;
        Ok(Self { pair, public })
    }

    /// Its public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature (base64) over `text`.
    pub(crate) fn sign(&self, text: &str) -> String {
        BASE64_STANDARD.encode(self.pair.sign(text.as_bytes()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

fn bytes(file: std::fs::File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Keys are short: each makes one line.
fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        BASE64_STANDARD.encode(der)
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_that_was_made_signs_and_its_public_half_can_tell() {
        let dir = tempfile::tempdir().unwrap();
        let (private, public) = (dir.path().join("a.key"), dir.path().join("a.pem"));
        let made = SigningKey::generate(&private).unwrap();
        assert_eq!(std::fs::metadata(&private).unwrap().mode() & 0o777, 0o600);
        std::fs::write(&public, made.pem()).unwrap();
        let (key, read) = (
            SigningKey::read(&private).unwrap(),
            PublicKey::read(&public).unwrap(),
        );
        assert_eq!((&read, key.public()), (&made, &made));
        let signature = key.sign("text");
        assert!(
            read.signed("text", &signature)
                && !read.signed("test", &signature)
                && !read.signed("text", "")
        );
        assert_eq!(PublicKey::decode(&read.encode()), Some(read));
        assert!(
            matches!(SigningKey::generate(&private), Err(KeyError::File(_))),
            "no key is written over"
        );
        assert!(!format!("{key:?}").contains("pair"));
    }

    #[test]
    fn the_key_of_the_standard_is_read_and_signs_as_it_does_there() {
        // RFC 8410, section 10.3, and RFC 8032, section 7.1, test 1.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let der = [
            &[
                0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
            ][..],
            &crate::merkle::parse(
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            )
            .unwrap(),
        ]
        .concat();
        std::fs::write(&path, pem("PRIVATE KEY", &der)).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).unwrap();
        let signature = BASE64_STANDARD
            .decode(SigningKey::read(&path).unwrap().sign(""))
            .unwrap();
        assert!(
            crate::chain::hex(&signature)
                .starts_with("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
        );
    }

    #[test]
    fn what_others_may_read_or_is_no_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let public = SigningKey::generate(&path).unwrap();
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert!(matches!(SigningKey::read(&path), Err(KeyError::Mode(_))));
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(matches!(
            PublicKey::read(&path),
            Err(KeyError::Kind("public"))
        ));
        std::fs::write(&path, public.pem()).unwrap();
        assert!(matches!(
            SigningKey::read(&path),
            Err(KeyError::Kind("private"))
        ));
        assert!(matches!(
            SigningKey::read(dir.path()),
            Err(KeyError::File(_))
        ));
    }
}
