//! The keys that sign the log: Ed25519 (RFC 8032). Private keys are PKCS #8 (RFC 5958), public keys `SubjectPublicKeyInfo`
//! (RFC 8410), both as PEM (RFC 7468).

use std::fmt;
use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gateway_files::Refusal;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

use crate::chain::sha256_hex;

/// The longest key file in bytes.
const MAX_KEY_FILE: u64 = 64 << 10;
/// The bytes of `SubjectPublicKeyInfo` before the 32 bytes of an Ed25519 key (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read or created.
    #[error(transparent)]
    File(gateway_files::Error),
    /// The cryptographic library failed.
    #[error("could not generate a key")]
    Generate,
    /// Others than its owner may read it.
    #[error("mode {:03o}: nobody but its owner may read a private key (chmod 600)", .0 & 0o777)]
    Mode(u32),
    /// It holds something else.
    #[error("not an Ed25519 {0} key as PEM")]
    Kind(&'static str),
}

impl From<gateway_files::Error> for KeyError {
    fn from(error: gateway_files::Error) -> Self {
        match error {
            gateway_files::Error::Refused {
                reason: Refusal::OthersHaveAccess(mode),
                ..
            } => Self::Mode(mode),
            error => Self::File(error),
        }
    }
}

/// The public half of a key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    der: Vec<u8>,
    id: String,
}

impl PublicKey {
    /// Reads a public key from a PEM file.
    ///
    /// # Errors
    /// If the file cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let der =
            SubjectPublicKeyInfoDer::from_pem_slice(&gateway_files::read(path, MAX_KEY_FILE)?);
        der.ok()
            .and_then(|der| Self::from_der(&der))
            .ok_or(KeyError::Kind("public"))
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let key = der.strip_prefix(&SPKI_PREFIX)?;
        (key.len() == 32).then(|| Self {
            der: der.to_vec(),
            id: sha256_hex(der),
        })
    }

    /// Decodes DER in base64.
    pub(crate) fn from_base64(text: &str) -> Option<Self> {
        Self::from_der(&BASE64_STANDARD.decode(text).ok()?)
    }

    /// The key's DER in base64.
    pub(crate) fn to_base64(&self) -> String {
        BASE64_STANDARD.encode(&self.der)
    }

    /// The key's id: the SHA-256 (hex) of its DER.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key as PEM.
    pub fn pem(&self) -> String {
        pem("PUBLIC KEY", &self.der)
    }

    /// Whether `signature` (base64) over `text` was made by this key.
    pub(crate) fn verifies(&self, text: &str, signature: &str) -> bool {
        let key = self.der.strip_prefix(&SPKI_PREFIX).unwrap_or_default();
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

/// A private key with its public half.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// Generates a key and writes it durably to a new file at `path` with mode 0600. Returns the public half.
    ///
    /// # Errors
    /// If there is a file at `path`, or it cannot be written.
    pub fn generate(path: &Path) -> Result<PublicKey, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Generate)?;
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| KeyError::Generate)?;
        gateway_files::write_new(path, pem("PRIVATE KEY", der.as_ref()).as_bytes())?;
        Self::from_pair(pair).map(|key| key.public)
    }

    /// Reads an unencrypted private key from a PEM file.
    ///
    /// # Errors
    /// If the file cannot be read, may be read by others than its owner, or holds something else.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let pem = gateway_files::read_private(path, MAX_KEY_FILE)?;
        let wrong = || KeyError::Kind("private");
        let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|_| wrong())?;
        Self::from_pair(Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| wrong())?)
    }

    fn from_pair(pair: Ed25519KeyPair) -> Result<Self, KeyError> {
        let der = [&SPKI_PREFIX, pair.public_key().as_ref()].concat();
        let public = PublicKey::from_der(&der).ok_or(KeyError::Kind("private"))?;
        Ok(Self { pair, public })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `text`; the signature is in base64.
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

/// PEM with all base64 in one line, since keys are short.
fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        BASE64_STANDARD.encode(der)
    )
}

#[cfg(test)]
mod tests;
