//! The setting for archives as the runtime wrote them.

use crate::Recipients;

/// Whether the archive as the runtime wrote it is kept where a redaction applies. Without a redaction, the published archive
/// is the original.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum KeepOriginal {
    /// It is never a file.
    #[default]
    No,
    /// It is kept beside the redacted archive, encrypted in the same pass (`age-encryption.org/v1`): not even the gateway
    /// can read it again.
    Sealed(Recipients),
    /// It is kept beside the redacted archive as it is, with all its secrets.
    Plaintext,
}

impl KeepOriginal {
    /// The number of files of an archive's size that one checkpoint may make.
    pub(crate) fn files(&self) -> u64 {
        match self {
            Self::No => 1,
            Self::Sealed(_) | Self::Plaintext => 2,
        }
    }
}
