//! Reads bits, the highest first.

use std::io::{self, ErrorKind};

use super::source::Source;

/// Bits of a source.
pub(super) struct Bits<'a> {
    pub(super) source: Source<'a>,
    /// The bits that were read and not taken, at the lower end.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self {
            source,
            held: 0,
            count: 0,
        }
    }

    /// Takes up to 32 bits.
    pub(super) fn take(&mut self, count: u32) -> io::Result<u32> {
        self.fill(count)?;
        if self.count < count {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.count -= count;
        let bits = (self.held >> self.count) & ((1 << count) - 1);
        Ok(u32::try_from(bits).unwrap_or_default())
    }

    pub(super) fn bit(&mut self) -> io::Result<bool> {
        Ok(self.take(1)? == 1)
    }

    /// The next up to 32 bits, with zeros behind the end. They are not taken.
    pub(super) fn peek(&mut self, count: u32) -> io::Result<u32> {
        self.fill(count)?;
        let missing = count.saturating_sub(self.count);
        let bits = (self.held << missing) >> (self.count + missing - count);
        Ok(u32::try_from(bits & ((1 << count) - 1)).unwrap_or_default())
    }

    /// Goes on at the next whole byte.
    pub(super) fn align(&mut self) {
        self.count -= self.count % 8;
    }

    /// Whether no whole byte is left, or nothing but zeros. Takes zeros.
    pub(super) fn only_zeros_follow(&mut self) -> io::Result<bool> {
        let held = self.held & ((1 << self.count) - 1);
        if held != 0 {
            return Ok(false);
        }
        let is_end = self.source.only_zeros_follow()?;
        if is_end {
            self.count = 0;
        }
        Ok(is_end)
    }

    fn fill(&mut self, count: u32) -> io::Result<()> {
        while self.count < count {
            let Some(byte) = self.source.byte()? else {
                return Ok(());
            };
            self.held = (self.held << 8) | u64::from(byte);
            self.count += 8;
        }
        Ok(())
    }
}
