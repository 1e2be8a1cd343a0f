use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{KeepOriginal, Quota};

/// Where archives go and what bounds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The store's absolute path. Made if absent; its parent must exist.
    pub directory: PathBuf,
    /// How runtimes hand archives over.
    pub transport: TransportChoice,
    /// What must stay free on the directory's filesystem, in bytes.
    pub min_free_bytes: u64,
    /// The largest archive that is kept, in bytes; `None` for no limit but the disk's.
    pub max_bytes: Option<u64>,
    /// How long a writer may stay silent after the runtime's answer before it is given up.
    pub drain_timeout: Duration,
    /// How much is kept, and for how long.
    pub quota: Quota,
    /// What becomes of archives as the runtime wrote them.
    pub original: KeepOriginal,
}

/// How runtimes hand archives over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransportChoice {
    /// Through a FIFO, until [`crate::Store::remember_refusal`] says that this runtime takes none.
    #[default]
    Auto,
    /// Always through a FIFO.
    Fifo,
    /// Always through a private temporary file.
    File,
}

impl Settings {
    /// The defaults for `directory`: transport `auto`, 1 GiB to stay free, no limit on size, 60 s of patience, no quota, no originals.
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
