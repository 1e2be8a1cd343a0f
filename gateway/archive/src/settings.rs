//! The settings of a store.

use std::path::PathBuf;
use std::time::Duration;

use crate::{KeepOriginal, Quota, TransportChoice};

/// The store's directory, and the bounds of archives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The store's absolute path. Made if absent; its parent must exist.
    pub directory: PathBuf,
    /// The way by which runtimes hand archives over.
    pub transport: TransportChoice,
    /// The bytes that must stay free on the directory's file system.
    pub min_free_bytes: u64,
    /// The largest archive that is kept, in bytes; `None` for no limit but the disk's.
    pub max_bytes: Option<u64>,
    /// The longest silence of a writer after the runtime's answer.
    pub drain_timeout: Duration,
    /// Limits on how much is kept, and for how long.
    pub quota: Quota,
    /// Whether archives are kept as the runtime wrote them.
    pub original: KeepOriginal,
}

impl Settings {
    /// The defaults for `directory`: transport `auto`, 1 GiB stays free, no limit on size, 60 s of silence, no quota, no
    /// originals.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            transport: TransportChoice::default(),
            min_free_bytes: 1 << 30,
            max_bytes: None,
            drain_timeout: Duration::from_mins(1),
            quota: Quota::default(),
            original: KeepOriginal::default(),
        }
    }
}
