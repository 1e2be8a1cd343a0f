//! The LZ4 frame format, and blocks alone.

use std::io::{self, ErrorKind, Read};

use lz4_flex::block::{decompress_into, decompress_into_with_dict};

use super::density::{Density, Parts};
use super::source::Source;
use super::texts::Texts;

const FRAME: u32 = 0x184d_2204;
const SKIPPABLE: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;
const VERSION: u8 = 0xc0;
const VERSION_1: u8 = 0x40;
const INDEPENDENT: u8 = 0x20;
const BLOCK_SUMS: u8 = 0x10;
const CONTENT_SIZE: u8 = 8;
const CONTENT_SUM: u8 = 4;
const DICTIONARY: u8 = 1;
/// The bit of a block's length that says that the block is stored as it is.
const STORED: u32 = 1 << 31;
/// A byte of a block unpacks to at most so many.
const MOST_RATIO: usize = 256;
/// How far back a block may refer, in bytes.
const WINDOW: usize = 64 << 10;

/// Unpacks the block `packed` into `page`. Returns the number of bytes; `None` if it is damaged or does not fit.
pub(crate) fn unpack_block(packed: &[u8], page: &mut [u8]) -> Option<usize> {
    decompress_into(packed, page).ok()
}

/// Unpacks all frames. Zeros behind them are taken; anything else there is damage. Checksums are not compared: they change
/// nothing in the contents.
pub(super) struct Lz4Reader<'a> {
    source: Source<'a>,
    frame: Option<Frame>,
    packed: Vec<u8>,
    /// The block that is being read.
    block: Vec<u8>,
    at: usize,
    end: usize,
    /// The bytes before it.
    window: Vec<u8>,
    density: Density<'a>,
    /// The contents of skippable frames.
    pub(super) texts: Texts,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    flags: u8,
    largest: usize,
}

impl<'a> Lz4Reader<'a> {
    pub(super) fn new(source: Source<'a>, parts: &'a Parts) -> Self {
        Self {
            source,
            frame: None,
            packed: Vec::new(),
            block: Vec::new(),
            at: 0,
            end: 0,
            window: Vec::new(),
            density: Density::new(parts),
            texts: Texts::default(),
        }
    }

    /// Begins the next frame; `false` at the end.
    fn begin(&mut self) -> io::Result<bool> {
        let start = self.source.peek(4)?;
        if start.is_empty() {
            return Ok(false);
        }
        match start.first_chunk().copied().map(u32::from_le_bytes) {
            Some(FRAME) => {}
            Some(magic) if SKIPPABLE.contains(&magic) => return self.skippable().map(|()| true),
            _ if !self.density.is_empty() && self.source.only_zeros_follow()? => return Ok(false),
            Some(_) => return Err(ErrorKind::InvalidData.into()),
            None => return Err(ErrorKind::UnexpectedEof.into()),
        }
        self.density.part(self.source.taken())?;
        let [_, _, _, _, flags, sizes] = self.source.array()?;
        if flags & VERSION != VERSION_1 || flags & DICTIONARY != 0 {
            return Err(ErrorKind::Unsupported.into());
        }
        let largest = match (sizes >> 4) & 7 {
            code @ 4..=7 => 1 << (8 + 2 * usize::from(code)),
            _ => return Err(ErrorKind::Unsupported.into()),
        };
        if flags & CONTENT_SIZE != 0 {
            self.source.array::<8>()?;
        }
        self.source.array::<1>()?;
        self.window.clear();
        self.frame = Some(Frame { flags, largest });
        Ok(true)
    }

    fn skippable(&mut self) -> io::Result<()> {
        self.density.part(self.source.taken())?;
        self.texts.skippable(&mut self.source)
    }

    /// Unpacks the next block of `frame`, or ends it.
    fn next_block(&mut self, frame: Frame) -> io::Result<()> {
        let header = u32::from_le_bytes(self.source.array()?);
        if header == 0 {
            if frame.flags & CONTENT_SUM != 0 {
                self.source.array::<4>()?;
            }
            self.frame = None;
            return Ok(());
        }
        self.density.part(self.source.taken())?;
        let length = usize::try_from(header & !STORED).unwrap_or(usize::MAX);
        if length > frame.largest {
            return Err(ErrorKind::InvalidData.into());
        }
        (self.at, self.end) = (0, 0);
        // No more than a block of this length can unpack to.
        let most = length.saturating_mul(MOST_RATIO).min(frame.largest);
        if self.block.len() < most {
            self.block.resize(most, 0);
        }
        if header & STORED != 0 {
            let block = self.block.get_mut(..length).unwrap_or_default();
            self.source.read_exact(block)?;
            self.end = length;
        } else {
            self.packed.resize(length, 0);
            self.source.read_exact(&mut self.packed)?;
            let block = self.block.get_mut(..most).unwrap_or_default();
            let window = self.window.len().saturating_sub(WINDOW);
            let window = self.window.get(window..).unwrap_or_default();
            let made = decompress_into_with_dict(&self.packed, block, window);
            self.end = made.map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
        }
        if frame.flags & BLOCK_SUMS != 0 {
            self.source.array::<4>()?;
        }
        if frame.flags & INDEPENDENT == 0 {
            let block = self.block.get(..self.end).unwrap_or_default();
            let new = block.len().saturating_sub(WINDOW);
            self.window
                .extend_from_slice(block.get(new..).unwrap_or_default());
            // Small blocks would move it again and again.
            if self.window.len() >= 4 * WINDOW {
                self.window.drain(..self.window.len() - WINDOW);
            }
        }
        Ok(())
    }
}

impl Read for Lz4Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.at < self.end {
                let mut rest = self.block.get(self.at..self.end).unwrap_or_default();
                let made = rest.read(buffer)?;
                self.at += made;
                self.density.add(made);
                return Ok(made);
            }
            let frame = self.frame;
            match frame {
                Some(frame) => self.next_block(frame)?,
                None if !self.begin()? => return Ok(0),
                None => {}
            }
        }
    }
}
