use super::Code;
use super::bits::BitReader;
use crate::Error;

/// Base and number of further bits for the length codes from 257 on (RFC 1951, 3.2.5).
pub(super) const LENGTHS: [(usize, u32); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
/// The same for distances.
pub(super) const DISTANCES: [(usize, u32); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];
/// The order in which the lengths of the code for lengths are told (3.2.7).
pub(super) const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Reads symbols of a canonical code.
pub(super) struct Decoder {
    /// How many codes there are of each length, from 1 on.
    counts: [u32; 15],
    /// By length, then by value.
    symbols: Vec<usize>,
}

impl Decoder {
    pub(super) fn new(lengths: &[u8]) -> Self {
        let (mut counts, mut symbols) = ([0; 15], Vec::new());
        for (length, count) in (1u8..).zip(&mut counts) {
            let mine = lengths
                .iter()
                .enumerate()
                .filter(|(_, its)| **its == length);
            let before = symbols.len();
            symbols.extend(mine.map(|(symbol, _)| symbol));
            *count = u32::try_from(symbols.len() - before).unwrap_or_default();
        }
        Self { counts, symbols }
    }

    pub(super) fn read(&self, bits: &mut BitReader<'_>) -> Result<usize, Error> {
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        for count in self.counts {
            code |= bits.take(1)?;
            if let Some(offset) = code.checked_sub(first).filter(|offset| *offset < count) {
                let symbol = self
                    .symbols
                    .get(usize::try_from(index + offset).unwrap_or(usize::MAX));
                return symbol.copied().ok_or(DAMAGED);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(DAMAGED)
    }
}

pub(super) const DAMAGED: Error = Error::BadTar("a compressed member is damaged");

/// The code of 3.2.6.
pub(super) fn fixed() -> Code {
    let literals = [vec![8; 144], vec![9; 112], vec![7; 24], vec![8; 8]].concat();
    (literals, vec![5; 30])
}

/// The lengths of a best code of at most `limit` bits, by package-merge (Larmore and Hirschberg, 1990).
pub(super) fn best(frequencies: &[u32], limit: usize) -> Vec<u8> {
    let mut frequencies = frequencies.to_vec();
    // Some readers take no code of fewer than two symbols.
    for symbol in 0..2 {
        if frequencies
            .iter()
            .filter(|frequency| **frequency > 0)
            .count()
            < 2
        {
            frequencies
                .iter_mut()
                .skip(symbol)
                .take(1)
                .for_each(|frequency| *frequency = (*frequency).max(1));
        }
    }
    let used = frequencies
        .iter()
        .enumerate()
        .filter(|(_, frequency)| **frequency > 0);
    let mut leaves: Vec<(u64, Vec<usize>)> = used
        .map(|(symbol, frequency)| (u64::from(*frequency), vec![symbol]))
        .collect();
    leaves.sort();
    let mut level = leaves.clone();
    for _ in 1..limit {
        let pairs = level.as_chunks::<2>().0.iter().map(|[one, other]| {
            (
                one.0.saturating_add(other.0),
                [one.1.as_slice(), &other.1].concat(),
            )
        });
        let mut next: Vec<_> = leaves.iter().cloned().chain(pairs).collect();
        next.sort_by_key(|(weight, _)| *weight);
        level = next;
    }
    let mut lengths = vec![0; frequencies.len()];
    for symbol in level
        .iter()
        .take(2 * leaves.len() - 2)
        .flat_map(|(_, symbols)| symbols)
    {
        lengths
            .iter_mut()
            .skip(*symbol)
            .take(1)
            .for_each(|length| *length += 1);
    }
    lengths
}

/// The codes for these lengths, their bits in the order in which they are written, with their lengths.
pub(super) fn codes(lengths: &[u8]) -> Vec<(u32, u32)> {
    let (mut codes, mut code) = (vec![(0, 0); lengths.len()], 0u32);
    for length in 1..=15u8 {
        code <<= 1;
        for (to, its) in codes.iter_mut().zip(lengths) {
            if *its == length {
                *to = (
                    code.reverse_bits() >> (32 - u32::from(length)),
                    u32::from(length),
                );
                code += 1;
            }
        }
    }
    codes
}
