//! The error of every operation on files: the path, what was tried, and why it failed.

use std::io;
use std::path::{Path, PathBuf};

/// Why an operation on a file or a folder failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name is taken, by a file, a folder or a symlink. Nothing was changed.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The name.
        path: PathBuf,
    },
    /// The file or folder is not of the expected kind, or not private.
    #[error("cannot use `{}`: {reason}", path.display())]
    Refused {
        /// The file or folder.
        path: PathBuf,
        /// The check that failed.
        reason: Refusal,
    },
    /// The file is larger than the caller reads.
    #[error("`{}` is larger than {max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound, in bytes.
        max: u64,
    },
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// The attempt, such as "sync".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// The check that a file or folder failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A folder was expected. Symlinks to folders are refused, too.
    #[error("it is not a folder, or it is a symlink")]
    NotAFolder,
    /// A regular file was expected.
    #[error("it is not a regular file")]
    NotAFile,
    /// The file has more than one name (hard links), or none any more.
    #[error("the file has another name elsewhere")]
    Linked,
    /// Another user owns it.
    #[error("it belongs to another user")]
    OtherOwner,
    /// Its mode lets group or others in.
    #[error("its mode is {:03o}: group and others must have no access", .0 & 0o7777)]
    OthersHaveAccess(
        /// Its mode, as `st_mode` has it.
        u32,
    ),
}

impl Error {
    /// The path that the operation was about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Exists { path }
            | Self::Refused { path, .. }
            | Self::TooLarge { path, .. }
            | Self::Io { path, .. } => path,
        }
    }

    /// Whether the file system is full, or the user's quota on it used up (ENOSPC, EDQUOT).
    pub fn is_disk_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }

    /// Whether nothing has that name.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Turns the system's refusal into an error about `path`.
    pub(crate) fn io<E: Into<io::Error>>(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source: source.into(),
        }
    }

    pub(crate) fn refused(path: &Path, reason: Refusal) -> Self {
        Self::Refused {
            path: path.to_owned(),
            reason,
        }
    }

    pub(crate) fn exists(path: &Path) -> Self {
        Self::Exists {
            path: path.to_owned(),
        }
    }
}

/// Keeps the kind, so that a full disk is still seen; path and action are in the text.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Exists { .. } => io::ErrorKind::AlreadyExists,
            Error::Refused { .. } => io::ErrorKind::PermissionDenied,
            Error::TooLarge { .. } => io::ErrorKind::FileTooLarge,
            Error::Io { source, .. } => source.kind(),
        };
        Self::new(kind, error)
    }
}
