use std::io;
use std::path::{Path, PathBuf};

use gateway_core::CheckpointId;

use crate::{Limit, Scope};

/// Why an archive could not be taken in, found or removed, or a store not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory is no place for checkpoints; an operator must mend it.
    #[error("cannot keep checkpoints in `{}`: {reason}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another gateway has this store open.
    #[error("another gateway holds `{}`", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Writing would leave less free than must stay free. Nothing was written, or the archive was dropped on the way.
    #[error("not enough space: {needed} bytes are needed, {free} are free, {floor} must stay free")]
    NoSpace {
        /// What this archive needs, in bytes.
        needed: u64,
        /// What is free and not promised to another archive, in bytes.
        free: u64,
        /// What must stay free, in bytes.
        floor: u64,
    },
    /// The filesystem is full, or its quota is used up.
    #[error("no space left to write `{}`", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A new checkpoint would break a limit; nothing was removed for it, since that would not help or is not wanted.
    #[error(
        "the {scope} may hold {limit}: {used_bytes} bytes in {used_count} checkpoints are there or promised, {needed} bytes more are needed"
    )]
    Quota {
        /// Whose limit.
        scope: Scope,
        /// Which limit.
        limit: Limit,
        /// What is there or promised, in bytes.
        used_bytes: u64,
        /// How many are there or promised.
        used_count: u64,
        /// What the new checkpoint needs, by its estimate, in bytes.
        needed: u64,
    },
    /// A hold pins the checkpoint; it must be released first.
    #[error("the checkpoint {id} is held")]
    Held {
        /// The checkpoint.
        id: CheckpointId,
    },
    /// A published file is not what was published: it is not served.
    #[error("`{}` was altered: {reason}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The operating system refused.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The metadata cannot be written as JSON.
    #[error("cannot describe the checkpoint")]
    Metadata(#[source] serde_json::Error),
    /// The runtime reported success and wrote nothing.
    #[error("the runtime reported success but wrote no archive")]
    Empty,
    /// What the runtime wrote does not begin as a tar archive (POSIX.1-1988 `ustar` or later) does.
    #[error("the runtime wrote something that is no tar archive")]
    NotATar,
    /// What the runtime left at its path is not a regular file with one name.
    #[error("the runtime left something at `{}` that is no regular file of its own", path.display())]
    NotAFile {
        /// The path that the runtime was given.
        path: PathBuf,
    },
    /// The runtime went on writing after it had reported success.
    #[error("`{}` changed while it was read", path.display())]
    Changed {
        /// The path that the runtime was given.
        path: PathBuf,
    },
    /// The archive is larger than the configured limit.
    #[error("the archive is larger than the limit of {max} bytes")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// The runtime answered, but something keeps its end open and sends no more.
    #[error("the archive's writer neither went on nor finished within {} s", patience.as_secs_f64())]
    TooSlow {
        /// How long nothing came.
        patience: std::time::Duration,
    },
    /// The redactor failed. Failures of this crate's own files come back as what they were.
    #[error(transparent)]
    Redaction(gateway_redact::Error),
    /// The original could not be written out.
    #[error("cannot write the original")]
    Original(#[source] io::Error),
    /// The original could not be kept, so nothing was: neither it nor the redacted archive.
    #[error("cannot keep the original")]
    Seal(#[source] Box<Self>),
    /// A configured recipient is none. Not repeated: it may be a key that was put there by mistake.
    #[error("recipient {position}: {reason}")]
    BadRecipient {
        /// Which of them, from 1.
        position: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nobody could open what is sealed, or more than is sensible.
    #[error("1 to {max} recipients are needed to seal originals, {given} are given")]
    Recipients {
        /// How many there may be.
        max: usize,
        /// How many there are.
        given: usize,
    },
    /// The thread that served this archive ended without an answer: a defect of the gateway.
    #[error("the archive's thread ended without an answer")]
    Worker,
}

impl Error {
    /// What turns the system's refusal to do `what` to `path` into an error.
    pub(crate) fn io<E: Into<io::Error>>(
        what: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self {
        move |source| {
            let (path, source) = (path.to_owned(), source.into());
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Self::Full { path, source }
                }
                _ => Self::Io { what, path, source },
            }
        }
    }
}

impl From<gateway_redact::Error> for Error {
    fn from(error: gateway_redact::Error) -> Self {
        let own = |source: io::Error, path: &str| {
            source
                .downcast::<Self>()
                .unwrap_or_else(Self::io("write", Path::new(path)))
        };
        match error {
            gateway_redact::Error::Scratch(source) => own(source, "a scratch file"),
            gateway_redact::Error::Writing(source) => own(source, "the redacted archive"),
            error => Self::Redaction(error),
        }
    }
}
