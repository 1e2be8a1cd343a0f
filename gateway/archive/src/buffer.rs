//! A buffer that a disk can take without the page cache.

use std::ops::{Deref, DerefMut};

/// Bytes in one buffer.
pub(crate) const CHUNK: usize = 1 << 20;

/// The alignment, in memory and in the file, that direct I/O needs: the largest block of common disks.
pub(crate) const ALIGNMENT: usize = 4096;

/// Bytes behind the buffer, for a tag.
const SPARE: usize = 16;

/// [`CHUNK`] bytes that begin at a multiple of [`ALIGNMENT`] in memory.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

impl Buffer {
    pub(crate) fn new() -> Self {
        let bytes = vec![0; ALIGNMENT + CHUNK + SPARE];
        let start = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        Self { bytes, start }
    }

    /// The first `length` bytes and those behind them for a tag.
    pub(crate) fn with_spare(&mut self, length: usize) -> &mut [u8] {
        let end = self.start + length.min(CHUNK) + SPARE;
        self.bytes.get_mut(self.start..end).unwrap_or_default()
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let end = self.start + CHUNK;
        self.bytes.get(self.start..end).unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        let end = self.start + CHUNK;
        self.bytes.get_mut(self.start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_aligned_and_has_space_for_a_tag() {
        let mut buffers = [(); 3].map(|()| Buffer::new());
        for buffer in &mut buffers {
            assert_eq!(buffer.len(), CHUNK);
            assert_eq!(buffer.as_ptr().align_offset(ALIGNMENT), 0);
            assert_eq!(buffer.with_spare(CHUNK).len(), CHUNK + SPARE);
            assert_eq!(buffer.with_spare(3).len(), 3 + SPARE);
        }
    }
}
