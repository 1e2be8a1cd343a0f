//! The properties of a file that show whether it was altered.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{FileType, Mode, Stat};

/// The kind, mode and length of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileStatus {
    pub(crate) is_regular: bool,
    /// Whether only its owner has access.
    pub(crate) is_private: bool,
    pub(crate) bytes: u64,
}

impl From<&Stat> for FileStatus {
    fn from(stat: &Stat) -> Self {
        Self {
            is_regular: FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile,
            is_private: is_private(stat.st_mode),
            bytes: u64::try_from(stat.st_size).unwrap_or_default(),
        }
    }
}

impl From<&Metadata> for FileStatus {
    fn from(meta: &Metadata) -> Self {
        Self {
            is_regular: meta.is_file(),
            is_private: is_private(meta.mode()),
            bytes: meta.len(),
        }
    }
}

fn is_private(mode: u32) -> bool {
    !Mode::from_raw_mode(mode).intersects(Mode::RWXG | Mode::RWXO)
}
