//! Writes a file and computes its digest on the way.

use std::io::{self, Write};
use std::mem;

use crate::Error;
use crate::archive_file::ArchiveFile;
use crate::hasher::Hasher;
use crate::sink::Sink;

/// Writes to a file and hashes beside it, in whole buffers.
pub(crate) struct HashingFile<'a> {
    file: &'a mut ArchiveFile,
    hasher: Hasher,
    buffer: Vec<u8>,
    filled: usize,
    bytes: u64,
}

impl<'a> HashingFile<'a> {
    pub(crate) fn new(file: &'a mut ArchiveFile, hasher: Hasher) -> Self {
        let buffer = hasher.buffer();
        Self {
            file,
            hasher,
            buffer,
            filled: 0,
            bytes: 0,
        }
    }

    /// The number of bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes the rest, and returns the digest of all bytes.
    pub(crate) fn finish(self) -> Result<String, Error> {
        self.file
            .put(self.buffer.get(..self.filled).unwrap_or_default())?;
        self.hasher.feed(self.buffer, self.filled);
        self.hasher.finish()
    }
}

impl Sink for HashingFile<'_> {
    fn put(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let length = bytes
                .len()
                .min(self.buffer.len().saturating_sub(self.filled));
            let now = bytes.split_off(..length).unwrap_or_default();
            if let Some(free) = self.buffer.get_mut(self.filled..self.filled + length) {
                free.copy_from_slice(now);
            }
            self.filled += length;
            self.bytes = self.bytes.saturating_add(length as u64);
            if self.filled == self.buffer.len() {
                self.file.put(&self.buffer)?;
                self.hasher.feed(mem::take(&mut self.buffer), self.filled);
                self.buffer = self.hasher.buffer();
                self.filled = 0;
            }
        }
        Ok(())
    }
}

/// For the redactor, which does not know the store: its error carries the store's.
impl Write for HashingFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes)
            .map(|()| bytes.len())
            .map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
