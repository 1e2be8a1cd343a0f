use super::bits::BitWriter;
use super::huffman::{DISTANCES, LENGTHS, ORDER, best, codes, fixed};
use super::{Code, LONGEST, SHORTEST, Text, Token};
use crate::Error;

const END: usize = 256;
/// The most tokens of one block, which bounds the memory; compressors take some ten thousand.
const MAX_TOKENS: usize = 1 << 20;
/// The most bytes of a stored block.
const MAX_STORED: usize = 0xffff;

/// A block that is being put together.
#[derive(Debug, Default)]
pub(super) struct Block {
    tokens: Vec<Token>,
    bytes: usize,
}

/// How often each symbol comes.
struct Frequencies {
    literals: Vec<u32>,
    distances: Vec<u32>,
    /// Bits beside the codes.
    more: u64,
}

/// Code lengths as a block tells them: symbols with the value and the number of their further bits.
struct Lengths {
    literals: Vec<u8>,
    distances: Vec<u8>,
    runs: Vec<(usize, u32, u32)>,
    code: Vec<u8>,
    told: usize,
}

impl Block {
    /// What became of a token of the old data.
    pub(super) fn take(&mut self, token: Token, text: &mut Text<'_>) -> Result<(), Error> {
        if self.tokens.len() > MAX_TOKENS {
            return Err(Error::BadTar("a compressed block is too large"));
        }
        match token {
            Token::Match(length, distance) => self.matches(length, distance, text),
            Token::Literal(_) => self.literals(1, text),
        }
    }

    /// What is left of a match, in as few pieces as may be.
    fn matches(
        &mut self,
        length: usize,
        distance: usize,
        text: &mut Text<'_>,
    ) -> Result<(), Error> {
        let mut left = length;
        while left > 0 {
            let same = text.repeats(left, distance)?;
            if same < SHORTEST {
                let literals = same.max(1);
                self.literals(literals, text)?;
                left -= literals;
            } else {
                text.next(same)?;
                self.bytes += same;
                self.tokens.push(Token::Match(same, distance));
                left -= same;
            }
        }
        Ok(())
    }

    /// Writes it in the shortest of the ways there are. `code` is what it had before: good for what did not change, since a
    /// new one is as good but may take a bit more to tell.
    pub(super) fn write(
        self,
        last: bool,
        code: Option<Code>,
        text: &Text<'_>,
        bits: &mut BitWriter<'_>,
    ) -> Result<(), Error> {
        let frequencies = self.frequencies();
        let old = code
            .filter(|code| frequencies.are_served_by(code))
            .map(Lengths::new);
        let cost = |lengths: &Lengths| {
            lengths.cost() + frequencies.cost(&lengths.literals, &lengths.distances)
        };
        let new = Lengths::new((
            best(&frequencies.literals, 15),
            best(&frequencies.distances, 15),
        ));
        let lengths = old.filter(|old| cost(old) < cost(&new)).unwrap_or(new);
        let (fixed_literals, fixed_distances) = fixed();
        let plain = frequencies.cost(&fixed_literals, &fixed_distances);
        let coded = cost(&lengths);
        let stored = 8 * (self.bytes as u64 + 5);
        bits.put(u32::from(last), 1)?;
        match text
            .passed(self.bytes)
            .filter(|_| self.bytes <= MAX_STORED && stored < coded.min(plain))
        {
            Some(bytes) => store(bytes, bits),
            None if plain <= coded => {
                bits.put(1, 2)?;
                self.put(&fixed_literals, &fixed_distances, bits)
            }
            None => {
                bits.put(2, 2)?;
                lengths.put(bits)?;
                self.put(&lengths.literals, &lengths.distances, bits)
            }
        }
    }

    /// What no match makes any more: bytes, and runs of one byte, which is what masks are.
    fn literals(&mut self, length: usize, text: &mut Text<'_>) -> Result<(), Error> {
        for _ in 0..length {
            let byte = *text.next(1)?.first().ok_or(Error::Truncated)?;
            self.bytes += 1;
            self.tokens.push(Token::Literal(byte));
            self.join(byte);
        }
        Ok(())
    }

    /// Four of the same byte, or a match from one back and the same again, are a match.
    fn join(&mut self, byte: u8) {
        let literal = Token::Literal(byte);
        if let [.., Token::Literal(before), Token::Match(length, 1), last] =
            self.tokens.as_mut_slice()
            && *before == byte
            && *last == literal
            && *length < LONGEST
        {
            *length += 1;
            self.tokens.pop();
        } else if self.tokens.ends_with(&[literal; 4]) {
            self.tokens.truncate(self.tokens.len() - 3);
            self.tokens.push(Token::Match(3, 1));
        }
    }

    fn frequencies(&self) -> Frequencies {
        let mut counted = Frequencies {
            literals: vec![0; 286],
            distances: vec![0; 30],
            more: 0,
        };
        for token in self.tokens.iter().copied() {
            match token {
                Token::Literal(byte) => count(&mut counted.literals, usize::from(byte)),
                Token::Match(length, distance) => {
                    let (length, distance) =
                        (symbol(&LENGTHS, length), symbol(&DISTANCES, distance));
                    count(&mut counted.literals, END + 1 + length.0);
                    count(&mut counted.distances, distance.0);
                    counted.more += u64::from(length.2 + distance.2);
                }
            }
        }
        count(&mut counted.literals, END);
        counted
    }

    fn put(
        &self,
        literals: &[u8],
        distances: &[u8],
        bits: &mut BitWriter<'_>,
    ) -> Result<(), Error> {
        let (literals, distances) = (codes(literals), codes(distances));
        for token in self.tokens.iter().copied() {
            match token {
                Token::Literal(byte) => put_code(&literals, usize::from(byte), bits)?,
                Token::Match(length, distance) => {
                    let (length, distance) =
                        (symbol(&LENGTHS, length), symbol(&DISTANCES, distance));
                    put_code(&literals, END + 1 + length.0, bits)?;
                    bits.put(length.1, length.2)?;
                    put_code(&distances, distance.0, bits)?;
                    bits.put(distance.1, distance.2)?;
                }
            }
        }
        put_code(&literals, END, bits)
    }
}

impl Frequencies {
    /// Whether every symbol that comes has a code.
    fn are_served_by(&self, code: &Code) -> bool {
        let all = |often: &[u32], lengths: &[u8]| {
            let mut lengths = lengths.iter().copied().chain(std::iter::repeat(0));
            often
                .iter()
                .all(|often| lengths.next() > Some(0) || *often == 0)
        };
        all(&self.literals, &code.0) && all(&self.distances, &code.1)
    }

    fn cost(&self, literals: &[u8], distances: &[u8]) -> u64 {
        let literals = self.literals.iter().zip(literals);
        let codes = literals.chain(self.distances.iter().zip(distances));
        codes
            .map(|(frequency, length)| u64::from(*frequency) * u64::from(*length))
            .sum::<u64>()
            + self.more
            + 3
    }
}

impl Lengths {
    fn new((mut literals, mut distances): Code) -> Self {
        literals.truncate(used(&literals).max(257));
        distances.truncate(used(&distances).max(1));
        let runs = runs(&[literals.as_slice(), &distances].concat());
        let mut often = vec![0; 19];
        for (symbol, _, _) in &runs {
            count(&mut often, *symbol);
        }
        let code = best(&often, 7);
        let tells = |at: &usize| code.get(*at).is_some_and(|length| *length > 0);
        let told = ORDER
            .iter()
            .rposition(tells)
            .map_or(4, |last| (last + 1).max(4));
        Self {
            literals,
            distances,
            runs,
            code,
            told,
        }
    }

    fn cost(&self) -> u64 {
        let run = |(symbol, _, more): &(usize, u32, u32)| {
            u64::from(self.code.get(*symbol).copied().unwrap_or_default()) + u64::from(*more)
        };
        14 + 3 * self.told as u64 + self.runs.iter().map(run).sum::<u64>()
    }

    fn put(&self, bits: &mut BitWriter<'_>) -> Result<(), Error> {
        bits.put(small(self.literals.len() - 257), 5)?;
        bits.put(small(self.distances.len() - 1), 5)?;
        bits.put(small(self.told - 4), 4)?;
        for at in ORDER.iter().take(self.told) {
            bits.put(self.code.get(*at).copied().unwrap_or_default().into(), 3)?;
        }
        let code = codes(&self.code);
        self.runs.iter().try_for_each(|(symbol, value, more)| {
            put_code(&code, *symbol, bits)?;
            bits.put(*value, *more)
        })
    }
}

/// Lengths as symbols of the code for lengths: 16 repeats the last, 17 and 18 repeat zero.
fn runs(lengths: &[u8]) -> Vec<(usize, u32, u32)> {
    let mut runs = Vec::new();
    for same in lengths.chunk_by(|one, other| one == other) {
        let length = usize::from(same.first().copied().unwrap_or_default());
        let mut left = same.len();
        if length > 0 {
            runs.push((length, 0, 0));
            left -= 1;
        }
        while left > 0 {
            let (run, times) = match (length, left) {
                (0, 11..) => ((18, small(left.min(138) - 11), 7), left.min(138)),
                (0, 3..) => ((17, small(left - 3), 3), left),
                (1.., 3..) => ((16, small(left.min(6) - 3), 2), left.min(6)),
                _ => ((length, 0, 0), 1),
            };
            runs.push(run);
            left -= times;
        }
    }
    runs
}

/// The symbol for `value`, with the value and the number of the bits that follow it.
fn symbol(table: &[(usize, u32)], value: usize) -> (usize, u32, u32) {
    let at = table
        .partition_point(|(base, _)| *base <= value)
        .saturating_sub(1);
    let (base, more) = table.get(at).copied().unwrap_or_default();
    (at, small(value - base), more)
}

fn store(bytes: &[u8], bits: &mut BitWriter<'_>) -> Result<(), Error> {
    bits.put(0, 2)?;
    bits.align()?;
    let length = small(bytes.len());
    bits.put(length, 16)?;
    bits.put(!length & 0xffff, 16)?;
    bytes
        .iter()
        .try_for_each(|byte| bits.put(u32::from(*byte), 8))
}

fn put_code(codes: &[(u32, u32)], symbol: usize, bits: &mut BitWriter<'_>) -> Result<(), Error> {
    let (code, length) = codes.get(symbol).copied().unwrap_or_default();
    bits.put(code, length)
}

fn count(frequencies: &mut [u32], symbol: usize) {
    if let Some(frequency) = frequencies.get_mut(symbol) {
        *frequency = frequency.saturating_add(1);
    }
}

fn used(lengths: &[u8]) -> usize {
    lengths
        .iter()
        .rposition(|length| *length > 0)
        .map_or(0, |last| last + 1)
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or_default()
}
