//! Anchors: bytes at known places that every match of a pattern has.

use super::bytes::ByteSet;

/// Bytes of a gram, the unit that the filter tests.
pub(super) const GRAM: usize = 4;
/// Windows lie at most so far inside an anchor, so a match begins at most so far before its gram.
const REACH: isize = 64;
/// The most grams of one window.
const GRAMS_MAX: usize = 4096;

/// Bytes that every match of a pattern has at a known place: one set for each position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Anchor(Vec<ByteSet>);

/// The grams that an anchor may show to the filter if it begins at an even (or odd) offset: each stands `offset` bytes after
/// the anchor's beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) offset: isize,
    pub(super) grams: Vec<u32>,
}

impl Anchor {
    /// An anchor of exactly these bytes.
    pub(super) fn literal(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|&byte| ByteSet::of([byte])).collect())
    }

    /// The same anchor, followed by one byte of `class`.
    pub(super) fn then(mut self, class: ByteSet) -> Self {
        self.0.push(class);
        self
    }

    /// The same anchor, followed by these bytes.
    pub(super) fn then_literal(mut self, bytes: &[u8]) -> Self {
        self.0.extend(Self::literal(bytes).0);
        self
    }

    /// Whether `bytes` start with it.
    pub(super) fn starts(&self, bytes: &[u8]) -> bool {
        bytes.len() >= self.0.len()
            && self
                .0
                .iter()
                .zip(bytes)
                .all(|(set, &byte)| set.contains(byte))
    }

    /// The rarest windows at an even and at an odd offset, since the filter tests every other position only. `None` if the
    /// anchor is too short.
    pub(super) fn windows(&self) -> Option<[Window; 2]> {
        Some([self.window(0)?, self.window(1)?])
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How rare its windows are: the sum of their expected frequencies.
    pub(super) fn rarity(&self) -> f64 {
        let best = |parity| self.offsets(parity).map(|at| self.frequency(at));
        let best = |parity| best(parity).min_by(f64::total_cmp).unwrap_or(f64::MAX);
        best(0) + best(1)
    }

    /// All windows at an even (or odd) offset that have known bytes only; the rarest one if there are none.
    pub(super) fn choices(&self, parity: isize) -> Vec<Window> {
        let known: Vec<Window> = self
            .offsets(parity)
            .filter(|&offset| self.sets(offset).iter().all(|set| set.iter().count() == 1))
            .map(|offset| self.window_at(offset))
            .collect();
        if known.is_empty() {
            self.window(parity).into_iter().collect()
        } else {
            known
        }
    }

    fn window(&self, parity: isize) -> Option<Window> {
        let best = self
            .offsets(parity)
            .min_by(|&a, &b| self.frequency(a).total_cmp(&self.frequency(b)))?;
        Some(self.window_at(best))
    }

    fn window_at(&self, offset: isize) -> Window {
        Window {
            offset,
            grams: expand(&self.sets(offset)),
        }
    }

    /// The offsets of one parity whose windows have few enough grams.
    fn offsets(&self, parity: isize) -> impl Iterator<Item = isize> + '_ {
        let length = isize::try_from(self.0.len()).unwrap_or(REACH);
        let all = (-1..=length.min(REACH) - 3).filter(move |at| at.rem_euclid(2) == parity);
        all.filter(|&offset| {
            let sets = self.sets(offset);
            let grams = sets.iter().map(|set| set.iter().count());
            grams.product::<usize>() <= GRAMS_MAX
        })
    }

    /// The expected frequency of the window's grams.
    fn frequency(&self, offset: isize) -> f64 {
        self.sets(offset)
            .iter()
            .map(|set| set.iter().map(frequency).sum::<f64>())
            .product()
    }

    fn sets(&self, offset: isize) -> [ByteSet; GRAM] {
        let mut sets = [ByteSet::ALL; GRAM];
        for (set, at) in sets.iter_mut().zip(offset..) {
            *set = usize::try_from(at)
                .ok()
                .and_then(|at| self.0.get(at))
                .copied()
                .unwrap_or(ByteSet::ALL);
        }
        sets
    }
}

/// A rough guess at the frequency of a byte in the memory of processes.
pub(super) fn frequency(byte: u8) -> f64 {
    match byte {
        0 => 0.3,
        b'a'..=b'z' | b' ' => 0.03,
        b'0'..=b'9' | 1..=8 | 0xff => 0.015,
        b'A'..=b'Z' | b'"' | b'/' | b'.' | b'-' | b'_' | b'\n' | b':' | b',' | b'=' => 0.01,
        _ => 0.004,
    }
}

fn expand(sets: &[ByteSet; GRAM]) -> Vec<u32> {
    sets.iter().rev().fold(vec![0], |grams, set| {
        let longer = |gram: u32| set.iter().map(move |byte| gram << 8 | u32::from(byte));
        grams.into_iter().flat_map(longer).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_bytes_make_windows_at_both_parities() {
        let [even, odd] = Anchor::literal(b"abc").windows().unwrap();
        assert_eq!((even.offset, even.grams.len()), (0, 256));
        assert_eq!((odd.offset, odd.grams.len()), (-1, 256));
        assert!(even.grams.contains(&u32::from_le_bytes(*b"abcx")));
        assert!(odd.grams.contains(&u32::from_le_bytes(*b"xabc")));
        assert_eq!(Anchor::literal(b"ab").windows(), None);
    }
}
