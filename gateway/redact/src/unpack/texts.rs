//! Texts that stand beside compressed contents: names, comments, extra fields, skippable frames.

use std::io::{self, ErrorKind};

/// The most bytes of texts in one stream, and of what it takes to keep them.
const MAX: usize = 4 << 20;

/// The texts of one stream, in order.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    all: Vec<Vec<u8>>,
    bytes: usize,
}

impl Texts {
    /// Adds a text, unless there are too many.
    pub(super) fn add(&mut self, text: Vec<u8>) -> io::Result<()> {
        self.bytes += text.len() + size_of::<Vec<u8>>();
        if self.bytes > MAX {
            return Err(ErrorKind::OutOfMemory.into());
        }
        if !text.is_empty() {
            self.all.push(text);
        }
        Ok(())
    }

    /// Bytes that may still be added.
    pub(super) fn left(&self) -> usize {
        MAX.saturating_sub(self.bytes + size_of::<Vec<u8>>())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.all.iter()
    }
}
