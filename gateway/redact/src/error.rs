//! The errors of this crate.

use std::io;

use crate::search::RuleError;

/// Why an archive could not be read or redacted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A mask rule cannot be carried out, or the plan's rules together exceed a bound.
    #[error(transparent)]
    BadRule(#[from] RuleError),
    /// A drop rule cannot be carried out.
    #[error("rule `{rule}`: cannot drop `{entry}`: {reason}")]
    CannotDrop {
        /// The rule's name.
        rule: String,
        /// The entry that the rule drops.
        entry: String,
        /// Why the entry must stay.
        reason: &'static str,
    },
    /// The mask byte would break JSON documents.
    #[error("the mask byte must be visible ASCII, and neither a quote nor a backslash")]
    BadMask,
    /// The archive is damaged, or made so that readers disagree about it.
    #[error("not a valid checkpoint archive: {0}")]
    BadTar(&'static str),
    /// The archive, or an archive inside it, ends early.
    #[error("the archive is truncated")]
    Truncated,
    /// The contents of a member cannot be searched.
    #[error("cannot search `{member}`: {reason}")]
    Opaque {
        /// The member's name.
        member: String,
        /// Why it cannot be searched.
        reason: &'static str,
    },
    /// A compressed member unpacks to more than is allowed.
    #[error("`{member}` unpacks to more than {limit} bytes")]
    Bomb {
        /// The member's name.
        member: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// Every pass over the archive found more values to hide.
    #[error("the archive still held something to hide after {passes} passes")]
    NotSettled {
        /// The number of passes.
        passes: u32,
    },
    /// The redacted archive failed the last check and must not be used.
    #[error("redaction broke the archive: {0}")]
    BrokeArchive(String),
    /// The archive could not be read.
    #[error("cannot read the archive")]
    Reading(#[source] io::Error),
    /// The redacted archive could not be written.
    #[error("cannot write the redacted archive")]
    Writing(#[source] io::Error),
    /// The caller's [`Scratch`](crate::Scratch) failed.
    #[error("cannot write a scratch file")]
    Scratch(#[source] io::Error),
}

impl Error {
    /// Whether the contents of one member are the reason, so that others can be looked at all the same.
    pub(crate) fn is_about_contents(&self) -> bool {
        match self {
            Self::BadTar(_)
            | Self::Truncated
            | Self::Opaque { .. }
            | Self::Bomb { .. }
            | Self::BrokeArchive(_) => true,
            Self::BadRule(_)
            | Self::CannotDrop { .. }
            | Self::BadMask
            | Self::NotSettled { .. }
            | Self::Reading(_)
            | Self::Writing(_)
            | Self::Scratch(_) => false,
        }
    }

    /// The error for a failed read from an archive, or from one inside it.
    pub(crate) fn reading(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::BadTar("a compressed member is damaged")
            }
            _ => Self::Reading(source),
        }
    }
}
