//! The errors of writing to the log.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::key::KeyError;

/// Why a record is not in the log. The action that it was to record must not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened, or a log cannot be appended to it.
    #[error("cannot open the audit log `{}`", .path.display())]
    Open {
        /// The log's path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A key for signing the log cannot be used.
    #[error("cannot use the key `{}`", .path.display())]
    Key {
        /// The key's path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: KeyError,
    },
    /// The record could not be written or made durable.
    #[error("cannot write to the audit log `{}`", .path.display())]
    Write {
        /// The log's path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The disk did not answer in time.
    #[error("the audit log `{}` was not written within {} s", .path.display(), .timeout.as_secs())]
    Slow {
        /// The log's path.
        path: PathBuf,
        /// The time allowed for a write.
        timeout: Duration,
    },
    /// The queue of records for the log is full.
    #[error("too many records are waiting for the audit log `{}`", .path.display())]
    Busy {
        /// The log's path.
        path: PathBuf,
    },
}

impl Error {
    /// The file that the error is about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Open { path, .. }
            | Self::Key { path, .. }
            | Self::Write { path, .. }
            | Self::Slow { path, .. }
            | Self::Busy { path } => path,
        }
    }
}
