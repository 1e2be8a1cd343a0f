//! The error of the store.

use std::io;
use std::path::{Path, PathBuf};

use gateway_core::{CheckpointId, Finding};

use crate::{Limit, Scope};

/// Why an archive could not be taken in, found or removed, or a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory cannot hold checkpoints; an operator must repair it.
    #[error("cannot keep checkpoints in `{}`: {reason}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Another gateway has this store open.
    #[error("another gateway uses `{}`", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Writing would leave less free than must stay free. Nothing was written, or the archive was dropped halfway.
    #[error("not enough space: {needed} bytes are needed, {free} are free, {floor} must stay free")]
    NoSpace {
        /// The bytes that this archive needs.
        needed: u64,
        /// The bytes that are free and not reserved for another archive.
        free: u64,
        /// The bytes that must stay free.
        floor: u64,
    },
    /// The file system is full, or its quota is used up.
    #[error("no space left to write `{}`", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A new checkpoint would break a limit; nothing was removed for it, since that would not suffice or is not configured.
    #[error(
        "the {scope} may hold {limit}: {used_bytes} bytes in {used_count} checkpoints are stored or expected, {needed} bytes more are needed"
    )]
    Quota {
        /// The scope of the limit.
        scope: Scope,
        /// The limit.
        limit: Limit,
        /// The bytes that are stored or expected.
        used_bytes: u64,
        /// The number of checkpoints that are stored or expected.
        used_count: u64,
        /// The bytes that the new checkpoint needs, by its estimate.
        needed: u64,
    },
    /// There is a hold on the checkpoint, which must be released first.
    #[error("there is a hold on the checkpoint {id}")]
    Held {
        /// The checkpoint.
        id: CheckpointId,
    },
    /// A published file was changed since. It is not served.
    #[error("`{}` was altered: {reason}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// The change.
        reason: &'static str,
    },
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// The attempt, such as "sync".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The metadata cannot be written as JSON.
    #[error("cannot describe the checkpoint")]
    Metadata(#[source] serde_json::Error),
    /// The runtime reported success and wrote nothing.
    #[error("the runtime reported success but wrote no archive")]
    Empty,
    /// The runtime's output does not begin as a tar archive (POSIX.1-1988 `ustar` or later) does.
    #[error("the runtime's output is not a tar archive")]
    NotATar,
    /// The runtime left something else than a regular file with one name at its location.
    #[error("the runtime did not leave a regular file of its own at `{}`", path.display())]
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
    /// The archive lacks something, contradicts itself, or is another container's.
    #[error("the archive is not fit to be stored: {}", fatal(findings))]
    Incomplete {
        /// The findings about it, the fatal ones first.
        findings: Vec<Finding>,
    },
    /// The archive is larger than the configured limit.
    #[error("the archive is larger than the limit of {max} bytes")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// The runtime answered, but a process holds the FIFO open and sends nothing.
    #[error("the archive's writer neither continued nor finished within {} s", patience.as_secs_f64())]
    TooSlow {
        /// The time without a byte.
        patience: std::time::Duration,
    },
    /// The redactor failed. Failures of this crate's own files are reported as such.
    #[error(transparent)]
    Redaction(gateway_redact::Error),
    /// The original could not be written out.
    #[error("cannot write the original")]
    Original(#[source] io::Error),
    /// The original could not be kept, so neither it nor the redacted archive was.
    #[error("cannot keep the original")]
    Seal(#[source] Box<Self>),
    /// A configured recipient is invalid. Not repeated: it may be a key that was put there by mistake.
    #[error("recipient {position}: {reason}")]
    BadRecipient {
        /// Its position, from 1.
        position: usize,
        /// The reason.
        reason: &'static str,
    },
    /// There are no recipients, or too many.
    #[error("1 to {max} recipients are needed to seal originals, {given} are given")]
    Recipients {
        /// The most that are supported.
        max: usize,
        /// The number of configured recipients.
        given: usize,
    },
    /// The archive's thread ended without an answer: a defect of the gateway.
    #[error("the archive's thread ended without an answer")]
    Worker,
}

impl Error {
    /// Turns the system's refusal of `action` on `path` into an error.
    pub(crate) fn io<E: Into<io::Error>>(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self {
        move |source| {
            let (path, source) = (path.to_owned(), source.into());
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Self::Full { path, source }
                }
                _ => Self::Io {
                    action,
                    path,
                    source,
                },
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

impl From<gateway_files::Error> for Error {
    fn from(error: gateway_files::Error) -> Self {
        match error {
            gateway_files::Error::Refused { path, reason } => Self::Directory {
                path,
                reason: reason.to_string(),
            },
            gateway_files::Error::Io {
                action,
                path,
                source,
            } => Self::io(action, &path)(source),
            other => {
                let path = other.path().to_owned();
                Self::io("create", &path)(other)
            }
        }
    }
}

/// The first fatal finding, and the number of others.
fn fatal(findings: &[Finding]) -> String {
    let mut fatal = findings.iter().filter(|finding| finding.is_fatal());
    let first = fatal.next().map(ToString::to_string).unwrap_or_default();
    match fatal.count() {
        0 => first,
        1 => format!("{first}; 1 more finding is fatal"),
        more => format!("{first}; {more} more findings are fatal"),
    }
}
