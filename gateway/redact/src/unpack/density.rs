//! Bounds the parts of compressed contents, which cost time however few bytes they make.

use std::io::{self, ErrorKind};

/// Parts that are always allowed.
const FREE: u64 = 4096;
/// Bytes, packed and unpacked together, that allow one further part.
const BYTES_PER_PART: u64 = 256;

/// Counts members, frames, streams and blocks.
#[derive(Debug, Default)]
pub(super) struct Density {
    parts: u64,
    /// Bytes that were unpacked.
    made: u64,
}

impl Density {
    /// Counts bytes that were unpacked.
    pub(super) fn add(&mut self, made: usize) {
        self.made = self.made.saturating_add(made as u64);
    }

    /// Counts a part that begins behind `taken` packed bytes.
    pub(super) fn part(&mut self, taken: u64) -> io::Result<()> {
        self.parts += 1;
        let bytes = self.made.saturating_add(taken);
        if self.parts > FREE.saturating_add(bytes / BYTES_PER_PART) {
            return Err(ErrorKind::OutOfMemory.into());
        }
        Ok(())
    }

    /// Whether no part was counted yet.
    pub(super) fn is_empty(&self) -> bool {
        self.parts == 0
    }
}
