//! Compressing again what is nearly the same: the matches that another compressor found are kept wherever they still hold,
//! so that the result is no longer than what came. Compressing anew cannot promise that: `gzip -6` often wins by a little.
//!
//! RFC 1951, in the words of its section 3.2.

mod bits;
mod huffman;
mod read;
mod write;

use std::io::{BufRead, BufReader, Read};

use bits::BitWriter;
use read::Tokens;
use write::Block;

use crate::Error;
use crate::sink::Sink;

/// What is kept of the text that was passed: a match looks back 32 KiB, and a stored block holds up to 64 KiB.
const KEPT: usize = 64 << 10;
/// When the rest is forgotten.
const MUCH: usize = 1 << 20;
/// The shortest and the longest match.
const SHORTEST: usize = 3;
const LONGEST: usize = 258;

/// What compressed data consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Literal(u8),
    /// So many bytes, from so far back.
    Match(usize, usize),
}

/// The code lengths of a block: for literals and lengths, and for distances.
pub(super) type Code = (Vec<u8>, Vec<u8>);

/// Writes `new` as compressed data, with the matches of `old`: compressed data of the same length when unpacked.
pub(super) fn again(
    old: &mut dyn BufRead,
    new: &mut dyn Read,
    out: &mut dyn Sink,
) -> Result<(), Error> {
    let (mut tokens, mut text) = (Tokens::new(old), Text::new(new));
    let mut bits = BitWriter::new(out);
    loop {
        let mut block = Block::default();
        let (last, code) = tokens.block(|token| block.take(token, &mut text))?;
        block.write(last, code, &text, &mut bits)?;
        if last {
            return if text.at_end()? {
                bits.finish()
            } else {
                Err(Error::BadTar("a compressed member is damaged"))
            };
        }
    }
}

/// The new bytes, as far back as a match may look.
pub(super) struct Text<'a> {
    file: BufReader<&'a mut dyn Read>,
    held: Vec<u8>,
    at: usize,
}

impl<'a> Text<'a> {
    fn new(file: &'a mut dyn Read) -> Self {
        Self {
            file: BufReader::with_capacity(1 << 17, file),
            held: Vec::new(),
            at: 0,
        }
    }

    /// The next `length` bytes, which are then passed.
    pub(super) fn next(&mut self, length: usize) -> Result<&[u8], Error> {
        if self.at > MUCH {
            self.held.drain(..self.at - KEPT);
            self.at = KEPT;
        }
        let end = self.at + length;
        if end > self.held.len() {
            let missing = end - self.held.len();
            let wanted = missing.max(1 << 12) as u64;
            (&mut self.file)
                .take(wanted)
                .read_to_end(&mut self.held)
                .map_err(Error::Reading)?;
        }
        let start = std::mem::replace(&mut self.at, end);
        self.held.get(start..end).ok_or(Error::Truncated)
    }

    /// How many of the `length` bytes that follow stand `distance` bytes before as well.
    pub(super) fn repeats(&mut self, length: usize, distance: usize) -> Result<usize, Error> {
        self.next(length)?;
        self.at -= length;
        let Some(before) = self.at.checked_sub(distance) else {
            return Ok(0);
        };
        let earlier = self.held.get(before..before + length).unwrap_or_default();
        let now = self.held.get(self.at..self.at + length).unwrap_or_default();
        Ok(earlier
            .iter()
            .zip(now)
            .take_while(|(one, other)| one == other)
            .count())
    }

    /// The last `length` bytes that were passed.
    pub(super) fn passed(&self, length: usize) -> Option<&[u8]> {
        self.held.get(self.at.checked_sub(length)?..self.at)
    }

    fn at_end(&mut self) -> Result<bool, Error> {
        Ok(self.at == self.held.len() && self.file.fill_buf().map_err(Error::Reading)?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{DeflateDecoder, DeflateEncoder};
    use proptest::prelude::*;
    use std::io::{Seek, Write};

    struct Memory(Vec<u8>);

    impl Sink for Memory {
        fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }

    fn reworked(packed: &[u8], new: &[u8]) -> Result<Vec<u8>, Error> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(new).unwrap();
        file.rewind().unwrap();
        let mut out = Memory(Vec::new());
        again(&mut &*packed, &mut file, &mut out)?;
        Ok(out.0)
    }

    fn deflate(text: &[u8], level: u32) -> Vec<u8> {
        let mut packed = Vec::new();
        DeflateEncoder::new(text, Compression::new(level))
            .read_to_end(&mut packed)
            .unwrap();
        packed
    }

    fn inflate(packed: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        DeflateDecoder::new(packed).read_to_end(&mut text).unwrap();
        text
    }

    proptest! {
        #[test]
        fn what_is_written_unpacks_to_the_new_text(
            words in prop::collection::vec("[a-f]{1,6}|\\PC{0,9}|a{3,400}", 0..400),
            masks in prop::collection::vec((any::<prop::sample::Index>(), 1usize..40), 0..9),
            level in 0u32..10,
        ) {
            let text = words.concat().into_bytes();
            let mut new = text.clone();
            for (at, length) in masks {
                if !new.is_empty() {
                    let at = at.index(new.len());
                    let end = new.len().min(at + length);
                    new[at..end].fill(b'*');
                }
            }
            let packed = deflate(&text, level);
            prop_assert!(inflate(&reworked(&packed, &new).unwrap()) == new);
            prop_assert!(reworked(&packed, &text).unwrap().len() <= packed.len() + 8);
        }

        #[test]
        fn garbage_ends(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = reworked(&bytes, &[b'x'; 500]);
        }
    }
}
