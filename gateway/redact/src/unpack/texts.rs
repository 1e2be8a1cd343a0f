//! Texts that stand beside compressed contents: names, comments, extra fields, skippable frames.

use std::io::{self, ErrorKind, Read};

use super::source::Source;

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

    /// Adds what stands in the skippable frame that begins here, of LZ4 or Zstandard.
    pub(super) fn skippable(&mut self, source: &mut Source<'_>) -> io::Result<()> {
        source.array::<4>()?;
        let length = u32::from_le_bytes(source.array()?);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.left() {
            return Err(ErrorKind::OutOfMemory.into());
        }
        let mut text = vec![0; length];
        source.read_exact(&mut text)?;
        self.add(text)
    }

    /// Bytes that may still be added.
    fn left(&self) -> usize {
        MAX.saturating_sub(self.bytes + size_of::<Vec<u8>>())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.all.iter()
    }
}
