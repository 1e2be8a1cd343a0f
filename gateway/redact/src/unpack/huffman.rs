//! A canonical Huffman code of up to 20 bits, as bzip2 has it.

use std::io::{self, ErrorKind};

use super::bits::Bits;

/// The longest code, in bits.
const LONGEST: u32 = 20;
/// Codes up to this length are looked up.
const SHORT: u32 = 10;

/// A code for up to 258 symbols.
pub(super) struct Code {
    /// For the next [`SHORT`] bits: the symbol and its length; 0 for longer codes.
    short: Vec<(u16, u8)>,
    /// By length: the first code that is longer, at the left of 20 bits; the first code; the place of its symbol.
    lengths: Vec<(u32, u32, usize)>,
    symbols: Vec<u16>,
}

impl Code {
    /// The code whose symbols have these lengths, 1 to 20; `None` if there are more codes than fit.
    pub(super) fn new(lengths: &[u8]) -> Option<Self> {
        let mut symbols: Vec<u16> = (0..u16::try_from(lengths.len()).ok()?).collect();
        let length_of = |symbol: &u16| lengths.get(usize::from(*symbol)).copied();
        symbols.sort_by_key(length_of);
        let mut code = Self {
            short: vec![(0, 0); 1 << SHORT],
            lengths: Vec::new(),
            symbols,
        };
        let (mut next, mut place) = (0u32, 0usize);
        for length in 1..=LONGEST {
            let first = next;
            let here = code.symbols.iter().skip(place);
            let here = here.take_while(|symbol| length_of(symbol).map(u32::from) == Some(length));
            let count = here.count();
            next += u32::try_from(count).ok()?;
            if next > 1 << length {
                return None;
            }
            if length <= SHORT {
                for (code_word, at) in (first..next).zip(place..) {
                    let from = usize::try_from(code_word << (SHORT - length)).ok()?;
                    let symbol = *code.symbols.get(at)?;
                    let entries = code.short.get_mut(from..from + (1 << (SHORT - length)))?;
                    entries.fill((symbol, u8::try_from(length).ok()?));
                }
            }
            code.lengths
                .push((next << (LONGEST - length), first, place));
            place += count;
            next <<= 1;
        }
        Some(code)
    }

    /// Reads a symbol.
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> io::Result<u16> {
        let ahead = bits.peek(LONGEST)?;
        let short = usize::try_from(ahead >> (LONGEST - SHORT)).unwrap_or_default();
        match self.short.get(short) {
            Some((symbol, length)) if *length > 0 => {
                bits.take(u32::from(*length))?;
                return Ok(*symbol);
            }
            _ => {}
        }
        for (length, (end, first, place)) in (1..).zip(&self.lengths) {
            if ahead < *end {
                let code = bits.take(length)?;
                let at = place + usize::try_from(code.wrapping_sub(*first)).unwrap_or_default();
                let symbol = self.symbols.get(at).copied();
                return symbol.ok_or_else(|| ErrorKind::InvalidData.into());
            }
        }
        Err(ErrorKind::InvalidData.into())
    }
}
