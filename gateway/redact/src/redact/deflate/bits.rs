use std::io::BufRead;

use crate::Error;
use crate::sink::Sink;

/// Bits, the lowest of a byte first.
pub(super) struct BitReader<'a> {
    input: &'a mut dyn BufRead,
    held: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead) -> Self {
        Self {
            input,
            held: 0,
            count: 0,
        }
    }

    /// The next `count` bits, at most 32.
    pub(super) fn take(&mut self, count: u32) -> Result<u32, Error> {
        while self.count < count {
            let mut byte = [0];
            self.input.read_exact(&mut byte).map_err(Error::reading)?;
            self.held |= u64::from(u8::from_le_bytes(byte)) << self.count;
            self.count += 8;
        }
        let bits = self.held & ((1 << count) - 1);
        self.held >>= count;
        self.count -= count;
        u32::try_from(bits).map_err(|_| Error::Truncated)
    }

    /// Goes on with a whole byte.
    pub(super) fn align(&mut self) {
        let odd = self.count % 8;
        self.held >>= odd;
        self.count -= odd;
    }
}

/// The same, the other way.
pub(super) struct BitWriter<'a> {
    out: &'a mut dyn Sink,
    buffer: Vec<u8>,
    held: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut dyn Sink) -> Self {
        Self {
            out,
            buffer: Vec::new(),
            held: 0,
            count: 0,
        }
    }

    /// The lowest `count` of `bits`, at most 32.
    pub(super) fn put(&mut self, bits: u32, count: u32) -> Result<(), Error> {
        self.held |= u64::from(bits) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.buffer.push(self.held.to_le_bytes()[0]);
            self.held >>= 8;
            self.count -= 8;
        }
        if self.buffer.len() < 1 << 16 {
            return Ok(());
        }
        self.out.put(&std::mem::take(&mut self.buffer))
    }

    pub(super) fn align(&mut self) -> Result<(), Error> {
        let odd = self.count % 8;
        if odd == 0 {
            Ok(())
        } else {
            self.put(0, 8 - odd)
        }
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.align()?;
        self.out.put(&self.buffer)
    }
}
