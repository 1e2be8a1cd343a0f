//! The key for fingerprints of credentials.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hmac;
use gateway_redact::Fingerprint;

/// The least bytes of a key: those of HMAC-SHA-256's output (RFC 2104, section 3).
const MIN_KEY: usize = 32;
/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum FingerprintKeyError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] gateway_files::Error),
    /// A short key could be guessed.
    #[error("the key for fingerprints in `{}` has {bytes} bytes; it needs at least {MIN_KEY} random ones", path.display())]
    TooShort {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        bytes: usize,
    },
}

/// Makes fingerprints with HMAC-SHA-256 under the key in the file, in hex.
///
/// # Errors
/// If the file cannot be read, or has fewer than 32 bytes.
pub fn fingerprints(path: &Path) -> Result<Fingerprint, FingerprintKeyError> {
    let key = gateway_files::read(path, MAX_FILE)?;
    if key.len() < MIN_KEY {
        return Err(FingerprintKeyError::TooShort {
            path: path.to_owned(),
            bytes: key.len(),
        });
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    Ok(Arc::new(move |secret: &[u8]| {
        hex::encode(hmac::sign(&key, secret))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_hmac_sha_256() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, [0xaa; 131]).unwrap();
        // RFC 4231, test case 6.
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(fingerprints(&path).unwrap()(message), expected);
    }

    #[test]
    fn refuses_a_short_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, [7; 31]).unwrap();
        let error = fingerprints(&path).err().unwrap();
        assert!(error.to_string().contains("31 bytes"), "{error}");
        assert!(fingerprints(&folder.path().join("none")).is_err());
    }
}
