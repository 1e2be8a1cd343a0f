//! bzip2: streams of blocks, each a Burrows-Wheeler transform behind Huffman codes.

use std::io::{self, ErrorKind, Read};

use super::bits::Bits;
use super::density::{Density, Parts};
use super::huffman::Code;
use super::source::Source;

const BLOCK: (u32, u32) = (0x31_4159, 0x26_5359);
const END: (u32, u32) = (0x17_7245, 0x38_5090);
/// Symbols that one selector is good for.
const GROUP: usize = 50;
/// Bytes of a block, by the level.
const LEVEL: usize = 100_000;

/// Unpacks all streams. Zeros behind them are taken; anything else there is damage.
pub(super) struct Bzip2Reader<'a> {
    bits: Bits<'a>,
    /// The largest block of the stream, in bytes; 0 before the first stream.
    largest: usize,
    state: State,
    density: Density<'a>,
    /// The byte at each place of the transform, and the place of the one behind it in the upper bits.
    table: Vec<u32>,
    next: u32,
    left: usize,
    /// Run lengths: the last byte, how often it came, and how often it is to come.
    last: Option<u8>,
    run: u8,
    repeat: u8,
    sum: u32,
    wanted_sum: u32,
    sums: Box<[u32; 256]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Stream,
    Block,
    Contents,
    Done,
}

impl<'a> Bzip2Reader<'a> {
    pub(super) fn new(source: Source<'a>, parts: &'a Parts) -> Self {
        Self {
            bits: Bits::new(source),
            largest: 0,
            state: State::Stream,
            density: Density::new(parts),
            table: Vec::new(),
            next: 0,
            left: 0,
            last: None,
            run: 0,
            repeat: 0,
            sum: 0,
            wanted_sum: 0,
            sums: sums(),
        }
    }

    fn stream(&mut self) -> io::Result<State> {
        if self.largest > 0 && self.bits.only_zeros_follow()? {
            return Ok(State::Done);
        }
        self.density.part(self.bits.source.taken())?;
        let (magic, level) = (self.bits.take(24)?, self.bits.take(8)?);
        let level = level.saturating_sub(u32::from(b'0'));
        if magic != 0x42_5a68 || !(1..=9).contains(&level) {
            return Err(damaged());
        }
        self.largest = LEVEL * usize::try_from(level).unwrap_or_default();
        Ok(State::Block)
    }

    fn block(&mut self) -> io::Result<State> {
        let magic = (self.bits.take(24)?, self.bits.take(24)?);
        if magic == END {
            self.bits.take(32)?;
            self.bits.align();
            return Ok(State::Stream);
        }
        if magic != BLOCK {
            return Err(damaged());
        }
        self.density.part(self.bits.source.taken())?;
        self.wanted_sum = self.bits.take(32)?;
        // Blocks were shuffled before version 0.9.5.
        if self.bits.bit()? {
            return Err(ErrorKind::Unsupported.into());
        }
        let origin = self.bits.take(24)?;
        let alphabet = self.alphabet()?;
        let (codes, selectors) = self.codes(alphabet.len() + 2)?;
        let counts = self.symbols(alphabet, &codes, &selectors)?;
        self.invert(&counts, origin)?;
        (self.last, self.run, self.repeat) = (None, 0, 0);
        self.sum = u32::MAX;
        Ok(State::Contents)
    }

    /// The bytes that occur in the block, in order.
    fn alphabet(&mut self) -> io::Result<Vec<u8>> {
        let mut alphabet = Vec::new();
        let rows = self.bits.take(16)?;
        for row in (0..16u8).filter(|row| rows & (0x8000 >> row) != 0) {
            let columns = self.bits.take(16)?;
            let used = (0..16u8).filter(|column| columns & (0x8000 >> column) != 0);
            alphabet.extend(used.map(|column| row * 16 + column));
        }
        if alphabet.is_empty() {
            return Err(damaged());
        }
        Ok(alphabet)
    }

    fn codes(&mut self, symbols: usize) -> io::Result<(Vec<Code>, Vec<usize>)> {
        let groups = self.bits.take(3)?;
        let count = self.bits.take(15)?;
        if !(2..=6).contains(&groups) || count == 0 {
            return Err(damaged());
        }
        let mut recent: Vec<usize> = (0..6).collect();
        let mut selectors = Vec::new();
        for _ in 0..count {
            let mut at = 0;
            while self.bits.bit()? {
                at += 1;
                if at >= groups {
                    return Err(damaged());
                }
            }
            let group = recent.remove(usize::try_from(at).unwrap_or_default());
            recent.insert(0, group);
            selectors.push(group);
        }
        let codes = (0..groups).map(|_| {
            let mut length = self.bits.take(5)?;
            let mut lengths = Vec::with_capacity(symbols);
            for _ in 0..symbols {
                while self.bits.bit()? {
                    length = if self.bits.bit()? {
                        length.wrapping_sub(1)
                    } else {
                        length + 1
                    };
                    if !(1..=20).contains(&length) {
                        return Err(damaged());
                    }
                }
                lengths.push(u8::try_from(length).unwrap_or_default());
            }
            Code::new(&lengths).ok_or_else(damaged)
        });
        Ok((codes.collect::<io::Result<_>>()?, selectors))
    }

    /// Decodes the transformed block into the table. Returns how often each byte occurs.
    fn symbols(
        &mut self,
        mut recent: Vec<u8>,
        codes: &[Code],
        selectors: &[usize],
    ) -> io::Result<[u32; 256]> {
        let end = recent.len() + 1;
        let mut counts = [0u32; 256];
        self.table.clear();
        let (mut run, mut weight) = (0usize, 1usize);
        for selector in selectors {
            let code = codes.get(*selector).ok_or_else(damaged)?;
            for _ in 0..GROUP {
                let symbol = usize::from(code.symbol(&mut self.bits)?);
                if symbol < 2 {
                    run = run.saturating_add(weight << symbol);
                    weight <<= 1;
                    if run > self.largest {
                        return Err(damaged());
                    }
                    continue;
                }
                if run > 0 {
                    self.append(
                        recent.first().copied().unwrap_or_default(),
                        run,
                        &mut counts,
                    )?;
                    (run, weight) = (0, 1);
                }
                if symbol == end {
                    return Ok(counts);
                }
                let byte = recent.remove(symbol - 1);
                recent.insert(0, byte);
                self.append(byte, 1, &mut counts)?;
            }
        }
        Err(damaged())
    }

    fn append(&mut self, byte: u8, run: usize, counts: &mut [u32; 256]) -> io::Result<()> {
        if run > self.largest.saturating_sub(self.table.len()) {
            return Err(damaged());
        }
        let length = self.table.len() + run;
        self.table.resize(length, u32::from(byte));
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += u32::try_from(run).unwrap_or_default();
        }
        Ok(())
    }

    /// Links each place of the transform to the one behind it.
    fn invert(&mut self, counts: &[u32; 256], origin: u32) -> io::Result<()> {
        let mut starts = [0u32; 256];
        let mut sum = 0;
        for (start, count) in starts.iter_mut().zip(counts) {
            *start = sum;
            sum += count;
        }
        for at in 0..self.table.len() {
            let byte = self.table.get(at).map_or(0, |entry| entry & 0xff);
            let start = starts.get_mut(usize::try_from(byte).unwrap_or_default());
            let Some(start) = start else { continue };
            let to = self
                .table
                .get_mut(usize::try_from(*start).unwrap_or_default());
            if let Some(to) = to {
                *to |= u32::try_from(at).unwrap_or_default() << 8;
            }
            *start += 1;
        }
        let first = self
            .table
            .get(usize::try_from(origin).unwrap_or(usize::MAX));
        self.next = *first.ok_or_else(damaged)? >> 8;
        self.left = self.table.len();
        Ok(())
    }

    /// The next byte before run lengths are undone.
    fn step(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        let entry = *self.table.get(usize::try_from(self.next).ok()?)?;
        self.next = entry >> 8;
        u8::try_from(entry & 0xff).ok()
    }

    fn contents(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut made = 0;
        for to in buffer.iter_mut() {
            let byte = if self.repeat > 0 {
                self.repeat -= 1;
                self.last
            } else {
                self.unrepeated()
            };
            let Some(byte) = byte else { break };
            *to = byte;
            made += 1;
        }
        for byte in buffer.iter().take(made) {
            let at = usize::from(u8::try_from(self.sum >> 24).unwrap_or_default() ^ byte);
            self.sum = (self.sum << 8) ^ self.sums.get(at).copied().unwrap_or_default();
        }
        if made == 0 && !buffer.is_empty() && !self.sum != self.wanted_sum {
            return Err(damaged());
        }
        Ok(made)
    }

    /// The next byte that is not a repetition. Four equal bytes are followed by the number of further ones.
    fn unrepeated(&mut self) -> Option<u8> {
        if self.run == 4 {
            self.run = 0;
            self.repeat = self.step()?;
            if let Some(left) = self.repeat.checked_sub(1) {
                self.repeat = left;
                return self.last;
            }
            self.last = None;
        }
        let byte = self.step()?;
        self.run = if self.last == Some(byte) {
            self.run + 1
        } else {
            1
        };
        self.last = Some(byte);
        Some(byte)
    }
}

impl Read for Bzip2Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.state {
                State::Stream => self.state = self.stream()?,
                State::Block => self.state = self.block()?,
                State::Contents => {
                    let made = self.contents(buffer)?;
                    if made > 0 || buffer.is_empty() {
                        self.density.add(made);
                        return Ok(made);
                    }
                    self.state = State::Block;
                }
                State::Done => return Ok(0),
            }
        }
    }
}

/// The sums of single bytes under bzip2's polynomial, the highest bit first.
fn sums() -> Box<[u32; 256]> {
    let step = |sum: u32, _| {
        let carry = if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 };
        (sum << 1) ^ carry
    };
    let of_byte = |byte: u32| (0..8).fold(byte << 24, step);
    let mut bytes = 0..;
    Box::new(std::array::from_fn(|_| {
        of_byte(bytes.next().unwrap_or_default())
    }))
}

fn damaged() -> io::Error {
    ErrorKind::InvalidData.into()
}
