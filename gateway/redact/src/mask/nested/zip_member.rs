//! The contents of one member of a zip archive.

use std::io::{self, ErrorKind, Read};

use flate2::Crc;

use super::stream::{memory_of, window_at};
use crate::unpack::zip::Entry;
use crate::unpack::{Decoder, Format, Inflate, Parts, Source};

/// Methods of compression (APPNOTE, 4.4.5).
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;
const BZIP2: u16 = 12;
const ZSTD: u16 = 93;
const XZ: u16 = 95;

/// Unpacks a member, and compares it with what the index says.
pub(super) struct MemberReader<'a> {
    packing: Packing<'a>,
    sum: Crc,
    wanted_sum: u32,
    left: u64,
}

enum Packing<'a> {
    Stored(Source<'a>),
    Deflated(Inflate, Source<'a>),
    Other(Box<Decoder<'a>>),
}

impl<'a> MemberReader<'a> {
    /// `None` if the method is not known.
    pub(super) fn new(
        entry: &Entry,
        source: Source<'a>,
        depth: usize,
        parts: &'a Parts,
    ) -> Option<Self> {
        let packing = match entry.method {
            STORED => Packing::Stored(source),
            DEFLATED => Packing::Deflated(Inflate::new(), source),
            method => {
                let decoder =
                    Decoder::new(format_of(method)?, source, window_at(depth + 1), parts)?;
                Packing::Other(Box::new(decoder))
            }
        };
        Some(Self {
            packing,
            sum: Crc::new(),
            wanted_sum: entry.sum,
            left: entry.size,
        })
    }

    /// The memory that a member needs, in bytes; `None` if the method is not known.
    pub(super) fn memory(method: u16, depth: usize) -> Option<u64> {
        match method {
            STORED | DEFLATED => Some(memory_of(Format::Gzip, depth)),
            method => Some(memory_of(format_of(method)?, depth + 1)),
        }
    }

    pub(super) fn can_be_written(method: u16) -> bool {
        matches!(method, STORED | DEFLATED)
    }

    fn unpack(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.packing {
            Packing::Stored(source) => source.read(buffer),
            Packing::Deflated(inflate, source) => match inflate.read(source, buffer)? {
                // Something behind the stream would never be searched.
                0 if !buffer.is_empty() && source.byte()?.is_some() => {
                    Err(ErrorKind::InvalidData.into())
                }
                made => Ok(made),
            },
            Packing::Other(decoder) => decoder.read(buffer),
        }
    }
}

impl Read for MemberReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let made = self.unpack(buffer).map_err(|error| match error.kind() {
            // The index says that it is all there.
            ErrorKind::UnexpectedEof => ErrorKind::InvalidData.into(),
            _ => error,
        })?;
        self.sum.update(buffer.get(..made).unwrap_or_default());
        let left = self.left.checked_sub(made as u64);
        self.left = left.ok_or(ErrorKind::InvalidData)?;
        let is_end = made == 0 && !buffer.is_empty();
        if is_end && (self.left > 0 || self.sum.sum() != self.wanted_sum) {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(made)
    }
}

fn format_of(method: u16) -> Option<Format> {
    match method {
        BZIP2 => Some(Format::Bzip2),
        ZSTD => Some(Format::Zstd),
        XZ => Some(Format::Xz),
        _ => None,
    }
}
