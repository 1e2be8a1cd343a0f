//! Fills the buffers of an output from pieces of any size.

use std::io::{self, Write};
use std::mem;
use std::time::{Duration, Instant};

use crate::buffer::Buffer;
use crate::output::{Finished, Output};
use crate::sink::{Buffers, Sink};

/// A `Write` over an [`Output`]: its error says only that writing ends, [`OutputWriter::finish`] says why.
pub(crate) struct OutputWriter<S> {
    output: Output<S>,
    buffer: Buffer,
    filled: usize,
    bytes: u64,
    waited: Duration,
}

impl<S: Sink + Send + 'static> OutputWriter<S> {
    pub(crate) fn new(output: Output<S>) -> Self {
        let buffer = output.buffer();
        Self {
            output,
            buffer,
            filled: 0,
            bytes: 0,
            waited: Duration::ZERO,
        }
    }

    /// The number of bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The time that was spent waiting for the disk and the digest.
    pub(crate) fn waited(&self) -> Duration {
        self.waited
    }

    /// Hands over the rest and waits until all is written.
    pub(crate) fn finish(self) -> Finished<S> {
        self.output.feed(self.buffer, self.filled);
        self.output.finish()
    }

    fn next_buffer(&mut self) {
        let began = Instant::now();
        let full = mem::replace(&mut self.buffer, self.output.buffer());
        self.output.feed(full, self.filled);
        self.filled = 0;
        self.waited += began.elapsed();
    }
}

impl<S: Sink + Send + 'static> Write for OutputWriter<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.filled == self.buffer.len() {
            self.next_buffer();
        }
        if self.output.failed() {
            return Err(io::Error::other("the file could not be written"));
        }
        let free = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let length = bytes.len().min(free.len());
        if let (Some(to), Some(from)) = (free.get_mut(..length), bytes.get(..length)) {
            to.copy_from_slice(from);
        }
        self.filled += length;
        self.bytes = self.bytes.saturating_add(length as u64);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
