//! The receiving ends of a drained archive.

use crate::Error;
use crate::buffer::Buffer;

/// Takes an archive's bytes in order.
pub(crate) trait Sink {
    /// Whether it writes to a disk.
    const WRITES: bool = true;

    /// Takes the next bytes. Not called again after an error.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error>;
}

/// Takes an archive's bytes in whole buffers, and writes them on another thread.
pub(crate) trait Buffers {
    /// A buffer to fill.
    fn buffer(&self) -> Buffer;
    /// Takes the first `length` bytes of a buffer.
    fn feed(&self, buffer: Buffer, length: usize);
    /// Whether a write has failed, so that no more bytes are wanted.
    fn failed(&self) -> bool;
}

/// Discards bytes that are in a file already and need only their digest.
#[derive(Debug)]
pub(crate) struct Discard;

impl Sink for Discard {
    const WRITES: bool = false;

    fn put(&mut self, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}
