//! The error of opening a sealed original.

use std::io;
use std::path::{Path, PathBuf};

/// Why a sealed original could not be opened. Never holds a key or any of the plaintext.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// It does not begin as a binary age v1 file does.
    #[error("not a sealed archive: it does not begin as an age v1 file does")]
    NotSealed,
    /// It is sealed for other recipients.
    #[error(
        "none of the identities opens it: it is sealed for other recipients, or its header was altered"
    )]
    WrongKey,
    /// It ends too early.
    #[error("the sealed archive is truncated, or its last 64 KiB were altered")]
    Truncated,
    /// Its bytes are not the ones that were sealed.
    #[error("the sealed archive was altered or is damaged")]
    Altered,
    /// A line of the identity file is not an identity. Not repeated: it may be a mistyped key.
    #[error(
        "line {line} of the identity file is not an age identity (expected `AGE-SECRET-KEY-1...`)"
    )]
    BadIdentity {
        /// The line, from 1.
        line: usize,
    },
    /// The identity file has no identity.
    #[error("the identity file holds no identity")]
    NoIdentity,
    /// The identity file is not UTF-8, or too long.
    #[error("the identity file is not a text of at most {max} bytes")]
    IdentityFile {
        /// The limit, in bytes.
        max: u64,
    },
    /// The output exists already.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// The attempt, such as "open".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The sealed archive could not be read, or the plaintext not be written.
    #[error("cannot {0}")]
    Stream(&'static str, #[source] io::Error),
}

impl UnsealError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

impl From<gateway_files::Error> for UnsealError {
    fn from(error: gateway_files::Error) -> Self {
        match error {
            gateway_files::Error::Exists { path } => Self::Exists { path },
            gateway_files::Error::Io {
                action,
                path,
                source,
            } => Self::Io {
                action,
                path,
                source,
            },
            other => {
                let path = other.path().to_owned();
                Self::io("create", &path)(other.into())
            }
        }
    }
}
