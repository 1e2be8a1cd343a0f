//! How a log is written: the length of its files, its keys and its observer.

use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::key::SigningKey;
use crate::observer::Observer;

/// How a log is written.
#[derive(Debug)]
pub struct Settings {
    /// The length in bytes at which a file is closed and another one begun.
    pub segment_bytes: u64,
    /// The keys; without them the log is chained, but not signed.
    pub signing: Option<Signing>,
    /// The receiver of all durable lines.
    pub observer: Option<Box<dyn Observer>>,
}

impl Default for Settings {
    /// Files of 64 MiB, no signature and no observer.
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            signing: None,
            observer: None,
        }
    }
}

/// The keys that sign a log, and how often they do.
#[derive(Debug, Clone)]
pub struct Signing {
    /// The key that signs.
    pub key: Arc<SigningKey>,
    /// The key that signed before, if it is another one. It vouches for the new key.
    pub previous: Option<Arc<SigningKey>>,
    /// The number of records after which a tree head is signed without being requested.
    pub records: NonZeroU64,
}

impl Signing {
    /// Reads the keys from files.
    ///
    /// # Errors
    /// [`Error::Key`] if one of them cannot be used.
    pub fn read(key: &Path, previous: Option<&Path>, records: NonZeroU64) -> Result<Self, Error> {
        Ok(Self {
            key: read(key)?,
            previous: previous.map(read).transpose()?,
            records,
        })
    }
}

fn read(path: &Path) -> Result<Arc<SigningKey>, Error> {
    let key = SigningKey::read(path).map_err(|source| Error::Key {
        path: path.to_path_buf(),
        source,
    });
    key.map(Arc::new)
}
