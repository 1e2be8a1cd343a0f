//! Pieces of literals and values, for places that hold only a few bytes of a secret, such as a processor's registers.

use std::ops::Range;

/// The length, in bytes, from which a piece of a secret counts as found.
pub(crate) const PIECE: usize = 6;

/// Pieces to search for.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Every piece of [`PIECE`] bytes, in order, in the upper 48 bits of a number, with its rule in the lower 16.
    all: Vec<u64>,
    /// Whether any piece begins with two bytes, by their number. Most bytes of images are zeros.
    begins: Vec<bool>,
}

impl Pieces {
    /// The pieces of these texts, each with its rule. Their bytes are bounded before.
    pub(super) fn of<'t>(texts: impl Iterator<Item = (usize, &'t [u8])>) -> Self {
        let mut pieces = Vec::new();
        for (rule, text) in texts {
            let Ok(rule) = u16::try_from(rule) else {
                continue;
            };
            let windows = text.windows(PIECE).filter(|window| tells(window));
            pieces.extend(windows.map(|window| key(window) | u64::from(rule)));
        }
        pieces.sort_unstable();
        pieces.dedup();
        let mut begins = vec![false; if pieces.is_empty() { 0 } else { 1 << 16 }];
        for piece in &pieces {
            if let Some(begins) = begins.get_mut(first_two(*piece)) {
                *begins = true;
            }
        }
        Self {
            all: pieces,
            begins,
        }
    }

    /// The rule and the extent of each run of pieces in `bytes`.
    pub(super) fn find(&self, bytes: &[u8]) -> Vec<(usize, Range<usize>)> {
        let mut found: Vec<(usize, Range<usize>)> = Vec::new();
        if self.all.is_empty() {
            return found;
        }
        for (at, window) in bytes.windows(PIECE).enumerate() {
            let key = key(window);
            if self.begins.get(first_two(key)) != Some(&true) {
                continue;
            }
            let next = self.all.partition_point(|piece| *piece < key);
            let Some(piece) = self
                .all
                .get(next)
                .filter(|piece| **piece >> 16 == key >> 16)
            else {
                continue;
            };
            let rule = usize::from(u16::try_from(piece & 0xffff).unwrap_or_default());
            match found.last_mut() {
                Some((last, range)) if *last == rule && range.end >= at => range.end = at + PIECE,
                _ => found.push((rule, at..at + PIECE)),
            }
        }
        found
    }
}

/// A window's bytes in the upper 48 bits.
fn key(window: &[u8]) -> u64 {
    let bytes = window.iter().take(PIECE);
    bytes.fold(0, |key, byte| key << 8 | u64::from(*byte)) << 16
}

/// The number of a piece's first two bytes.
fn first_two(key: u64) -> usize {
    usize::try_from(key >> 48).unwrap_or_default()
}

/// Whether a piece says something: string functions fill registers with one byte that they look for, and such a register must
/// stay as it is.
fn tells(window: &[u8]) -> bool {
    window.iter().any(|byte| Some(byte) != window.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &[u8], bytes: &[u8]) -> Vec<(usize, usize)> {
        let pieces = Pieces::of([(3, value)].into_iter());
        let found = pieces.find(bytes);
        assert!(found.iter().all(|(rule, _)| *rule == 3));
        found
            .into_iter()
            .map(|(_, it)| (it.start, it.end))
            .collect()
    }

    #[test]
    fn finds_pieces_of_six_bytes_and_more() {
        let value = b"s3cr3t-value-Q";
        assert_eq!(found(value, b"..3cr3t-.."), [(2, 8)]);
        assert_eq!(found(value, b"t-value-Q and s3cr3t"), [(0, 9), (14, 20)]);
        assert!(found(value, b"3cr3t alue- value").is_empty());
        assert_eq!(found(value, value), [(0, value.len())]);
    }

    #[test]
    fn leaves_runs_of_one_byte() {
        assert!(found(b"pass======", b"======").is_empty());
    }
}
