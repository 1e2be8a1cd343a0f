//! The disk operations that appending to the log depends on, in one trait, so that tests can let them fail.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Writes to the log's active file.
pub(crate) trait Disk: Debug + Send {
    /// Writes all of `bytes` at `offset`.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes the written bytes durable.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Shortens the file to `length` bytes.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()>;
}

/// The operating system's file operations.
#[derive(Debug)]
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }
}
