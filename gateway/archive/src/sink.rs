//! The receiving ends of a drained archive.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;
use crate::buffer::Buffer;
use crate::handoff::Giver;

/// Takes an archive's bytes in order.
pub(crate) trait Sink {
    /// Whether it writes to a disk.
    const WRITES: bool = true;

    /// Takes the next bytes. Not called again after an error.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error>;
}

/// Takes an archive's bytes in whole buffers, and writes them on another thread.
pub(crate) trait Buffers {
    /// Gives buffers to that thread; none once it was ended.
    fn giver(&self) -> Option<&Giver>;
    /// Set by that thread if a write has failed. Further bytes are discarded, and the end reports it.
    fn failure(&self) -> &AtomicBool;

    /// A buffer to fill. Waits while all buffers are still to be written.
    fn buffer(&self) -> Buffer {
        self.giver().map_or_else(Buffer::new, Giver::buffer)
    }

    /// Takes the first `length` bytes of a buffer.
    fn feed(&self, buffer: Buffer, length: usize) {
        if let Some(giver) = self.giver() {
            giver.give(buffer, length);
        }
    }

    /// Whether a write has failed, so that no more bytes are wanted.
    fn failed(&self) -> bool {
        self.failure().load(Ordering::Relaxed)
    }
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
