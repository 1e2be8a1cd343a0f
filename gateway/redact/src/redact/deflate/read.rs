use std::io::BufRead;

use super::bits::BitReader;
use super::huffman::{DAMAGED, DISTANCES, Decoder, LENGTHS, ORDER, fixed};
use super::{Code, Token};
use crate::Error;

/// The tokens of compressed data, block by block.
pub(super) struct Tokens<'a> {
    bits: BitReader<'a>,
}

const END: usize = 256;

impl<'a> Tokens<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead) -> Self {
        Self {
            bits: BitReader::new(input),
        }
    }

    /// Hands the next block's tokens to `take`; tells whether it is the last, and its code if it has one of its own.
    pub(super) fn block(
        &mut self,
        mut take: impl FnMut(Token) -> Result<(), Error>,
    ) -> Result<(bool, Option<Code>), Error> {
        let last = self.bits.take(1)? == 1;
        match self.bits.take(2)? {
            0 => self.stored(&mut take)?,
            1 => self.coded(&fixed(), &mut take)?,
            2 => {
                let code = self.lengths()?;
                self.coded(&code, &mut take)?;
                return Ok((last, Some(code)));
            }
            _ => return Err(DAMAGED),
        }
        Ok((last, None))
    }

    fn stored(&mut self, take: &mut impl FnMut(Token) -> Result<(), Error>) -> Result<(), Error> {
        self.bits.align();
        let (length, inverse) = (self.bits.take(16)?, self.bits.take(16)?);
        if length != !inverse & 0xffff {
            return Err(DAMAGED);
        }
        for _ in 0..length {
            take(Token::Literal(self.bits.take(8)?.to_le_bytes()[0]))?;
        }
        Ok(())
    }

    fn coded(
        &mut self,
        lengths: &Code,
        take: &mut impl FnMut(Token) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (literals, distances) = (Decoder::new(&lengths.0), Decoder::new(&lengths.1));
        loop {
            let symbol = literals.read(&mut self.bits)?;
            if symbol == END {
                return Ok(());
            }
            if let Ok(literal) = u8::try_from(symbol) {
                take(Token::Literal(literal))?;
                continue;
            }
            let length = self.value(&LENGTHS, symbol - END - 1)?;
            let symbol = distances.read(&mut self.bits)?;
            take(Token::Match(length, self.value(&DISTANCES, symbol)?))?;
        }
    }

    fn value(&mut self, table: &[(usize, u32)], symbol: usize) -> Result<usize, Error> {
        let (base, more) = table.get(symbol).ok_or(DAMAGED)?;
        Ok(base + usize::try_from(self.bits.take(*more)?).map_err(|_| DAMAGED)?)
    }

    /// The code lengths at a block's beginning (3.2.7).
    fn lengths(&mut self) -> Result<Code, Error> {
        let mut number = |bits, least| -> Result<usize, Error> {
            Ok(usize::try_from(self.bits.take(bits)?).map_err(|_| DAMAGED)? + least)
        };
        let (literals, distances, told) = (number(5, 257)?, number(5, 1)?, number(4, 4)?);
        if literals > 286 || distances > 30 {
            return Err(DAMAGED);
        }
        let mut code = [0; 19];
        for at in ORDER.iter().take(told) {
            let length = self.bits.take(3)?.to_le_bytes()[0];
            code.iter_mut()
                .skip(*at)
                .take(1)
                .for_each(|to| *to = length);
        }
        let (decoder, mut lengths) = (Decoder::new(&code), Vec::new());
        while lengths.len() < literals + distances {
            let (length, times) = match decoder.read(&mut self.bits)? {
                16 => (*lengths.last().ok_or(DAMAGED)?, 3 + self.bits.take(2)?),
                17 => (0, 3 + self.bits.take(3)?),
                18 => (0, 11 + self.bits.take(7)?),
                length => (u8::try_from(length).map_err(|_| DAMAGED)?, 1),
            };
            lengths.extend((0..times).map(|_| length));
        }
        let distances = lengths.split_off(literals.min(lengths.len()));
        Ok((lengths, distances))
    }
}
