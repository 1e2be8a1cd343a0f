//! Zstandard (RFC 8878): frames and skippable frames, one after the other.

use std::io::{self, ErrorKind, Read};

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::density::{Density, Parts};
use super::source::Source;
use super::texts::Texts;

const FRAME: u32 = 0xfd2f_b528;
const SKIPPABLE: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;

/// Unpacks all frames. Zeros behind them are taken; anything else there is damage.
pub(super) struct ZstdReader<'a> {
    source: Source<'a>,
    decoder: FrameDecoder,
    is_open: bool,
    density: Density<'a>,
    /// The contents of skippable frames.
    pub(super) texts: Texts,
}

impl<'a> ZstdReader<'a> {
    pub(super) fn new(source: Source<'a>, window: u64, parts: &'a Parts) -> Self {
        let mut decoder = FrameDecoder::new();
        // Its buffer grows to the next power of two above the window.
        decoder.set_max_window_size(window / 2);
        Self {
            source,
            decoder,
            is_open: false,
            density: Density::new(parts),
            texts: Texts::default(),
        }
    }

    /// Begins the next frame; `false` at the end.
    fn frame(&mut self) -> io::Result<bool> {
        let start = self.source.peek(4)?;
        if start.is_empty() {
            return Ok(false);
        }
        let magic = start.first_chunk().copied().map(u32::from_le_bytes);
        match magic {
            Some(FRAME) => {
                self.density.part(self.source.taken())?;
                let begun = self.decoder.reset(&mut self.source);
                begun.map_err(|error| self.error(&error))?;
                self.is_open = true;
                Ok(true)
            }
            Some(magic) if SKIPPABLE.contains(&magic) => self.skippable().map(|()| true),
            _ if !self.density.is_empty() && self.source.only_zeros_follow()? => Ok(false),
            Some(_) => Err(ErrorKind::InvalidData.into()),
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    fn skippable(&mut self) -> io::Result<()> {
        self.density.part(self.source.taken())?;
        self.texts.skippable(&mut self.source)
    }

    fn block(&mut self) -> io::Result<()> {
        self.density.part(self.source.taken())?;
        let step = BlockDecodingStrategy::UptoBlocks(1);
        let decoded = self.decoder.decode_blocks(&mut self.source, step);
        decoded.map(drop).map_err(|error| self.error(&error))
    }

    /// Ends the frame.
    fn end(&mut self) -> io::Result<()> {
        self.is_open = false;
        let stored = self.decoder.get_checksum_from_data();
        if stored.is_some() && stored != self.decoder.get_calculated_checksum() {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    fn error(&self, error: &FrameDecoderError) -> io::Error {
        let kind = match error {
            FrameDecoderError::WindowSizeTooBig { .. } => ErrorKind::OutOfMemory,
            FrameDecoderError::DictNotProvided { .. } => ErrorKind::Unsupported,
            _ if self.source.progress().missed() => ErrorKind::UnexpectedEof,
            _ => ErrorKind::InvalidData,
        };
        kind.into()
    }
}

impl Read for ZstdReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_open {
                if !self.frame()? {
                    return Ok(0);
                }
            } else if self.decoder.can_collect() > 0 {
                let made = self.decoder.read(buffer)?;
                self.density.add(made);
                return Ok(made);
            } else if self.decoder.is_finished() {
                self.end()?;
            } else {
                self.block()?;
            }
        }
    }
}
