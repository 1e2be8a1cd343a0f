//! Gzip (RFC 1952): members one after the other, with the texts of their headers.

use std::io::{self, ErrorKind, Read};

use flate2::Crc;

use super::density::{Density, Parts};
use super::inflate::Inflate;
use super::source::Source;
use super::texts::Texts;

const HAS_SUM: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;
/// The longest name or comment, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// Unpacks all members. Zeros behind them are taken; anything else there is damage.
pub(super) struct GzipReader<'a> {
    source: Source<'a>,
    inflate: Inflate,
    sum: Crc,
    state: State,
    density: Density<'a>,
    /// Extra fields, names and comments of all members.
    pub(super) texts: Texts,
    /// The name in the first header.
    pub(super) name: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Contents,
    Done,
}

impl<'a> GzipReader<'a> {
    pub(super) fn new(source: Source<'a>, parts: &'a Parts) -> Self {
        Self {
            source,
            inflate: Inflate::new(),
            sum: Crc::new(),
            state: State::Header,
            density: Density::new(parts),
            texts: Texts::default(),
            name: None,
        }
    }

    /// Reads the next header, or the end.
    fn header(&mut self) -> io::Result<State> {
        let is_first = self.density.is_empty();
        let start = self.source.peek(2)?.to_vec();
        match *start.as_slice() {
            [0x1f, 0x8b] => {}
            [0x1f] => return Err(ErrorKind::UnexpectedEof.into()),
            _ if !is_first && self.source.only_zeros_follow()? => return Ok(State::Done),
            _ => return Err(ErrorKind::InvalidData.into()),
        }
        self.density.part(self.source.taken())?;
        let [_, _, method, flags, ..] = self.source.array::<10>()?;
        if method != 8 || flags & RESERVED != 0 {
            return Err(ErrorKind::Unsupported.into());
        }
        if flags & HAS_EXTRA != 0 {
            let length = u16::from_le_bytes(self.source.array()?);
            let mut extra = vec![0; usize::from(length)];
            self.source.read_exact(&mut extra)?;
            self.texts.add(extra)?;
        }
        for flag in [HAS_NAME, HAS_COMMENT] {
            if flags & flag != 0 {
                let text = self.text()?;
                if is_first && flag == HAS_NAME {
                    self.name = Some(text.clone());
                }
                self.texts.add(text)?;
            }
        }
        if flags & HAS_SUM != 0 {
            self.source.array::<2>()?;
        }
        self.inflate.restart();
        self.sum.reset();
        Ok(State::Contents)
    }

    fn text(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            match self.source.array()? {
                [0] => return Ok(text),
                _ if text.len() >= MAX_TEXT => return Err(ErrorKind::OutOfMemory.into()),
                [byte] => text.push(byte),
            }
        }
    }

    fn trailer(&mut self) -> io::Result<()> {
        let sum = u32::from_le_bytes(self.source.array()?);
        let length = u32::from_le_bytes(self.source.array()?);
        if sum == self.sum.sum() && length == self.sum.amount() {
            Ok(())
        } else {
            Err(ErrorKind::InvalidData.into())
        }
    }
}

impl Read for GzipReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.state {
                State::Header => self.state = self.header()?,
                State::Contents => {
                    let made = self.inflate.read(&mut self.source, buffer)?;
                    if made > 0 || buffer.is_empty() {
                        self.sum.update(buffer.get(..made).unwrap_or_default());
                        self.density.add(made);
                        return Ok(made);
                    }
                    self.trailer()?;
                    self.state = State::Header;
                }
                State::Done => return Ok(0),
            }
        }
    }
}
