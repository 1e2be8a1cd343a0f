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

/// Further known bytes of an anchor, beside those of a window: most memory that has the window's gram by chance lacks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Check {
    /// Their distance from the gram, in bytes.
    pub(super) offset: isize,
    /// They must be `gram` where `mask` has ones; elsewhere any bytes may stand.
    pub(super) gram: u32,
    pub(super) mask: u32,
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

    /// Bytes that start with it, with letters where they may stand.
    pub(super) fn example(&self) -> Vec<u8> {
        let sets = self.0.iter();
        let byte = |set: &ByteSet| {
            let letter = set.iter().find(u8::is_ascii_lowercase);
            letter.or_else(|| set.iter().next())
        };
        sets.filter_map(byte).collect()
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

    /// The rarest known bytes beside those of the window at `offset`, as far as they fit in a gram.
    pub(super) fn check(&self, offset: isize) -> Check {
        let window = offset..offset + 4;
        let known = |at: isize| {
            let set = usize::try_from(at).ok().and_then(|at| self.0.get(at));
            set.filter(|_| !window.contains(&at))
                .and_then(ByteSet::single)
        };
        let rarity_from = |start: &isize| -> f64 {
            let bytes = (*start..start + 4).filter_map(known);
            bytes.map(|byte| 1.0 - frequency(byte)).sum()
        };
        let starts = 0..isize::try_from(self.0.len()).unwrap_or(REACH).min(REACH);
        let best = starts.max_by(|a, b| rarity_from(a).total_cmp(&rarity_from(b)));
        let start = best.unwrap_or(offset);
        let (mut gram, mut mask) = ([0; GRAM], [0; GRAM]);
        for (at, (byte, bits)) in (start..).zip(gram.iter_mut().zip(&mut mask)) {
            if let Some(known) = known(at) {
                (*byte, *bits) = (known, u8::MAX);
            }
        }
        Check {
            offset: start - offset,
            gram: u32::from_le_bytes(gram),
            mask: u32::from_le_bytes(mask),
        }
    }

    /// Whether it is long enough to have windows at even and at odd offsets: the filter tests every other position only.
    pub(super) fn is_usable(&self) -> bool {
        (0..2).all(|parity| self.offsets(parity).next().is_some())
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
            .filter(|&offset| self.sets(offset).iter().all(|set| set.len() == 1))
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
            let grams = sets.iter().map(ByteSet::len);
            grams.product::<usize>() <= GRAMS_MAX
        })
    }

    /// The expected frequency of the window's grams.
    fn frequency(&self, offset: isize) -> f64 {
        let places = (offset..).take(GRAM);
        let sets = places.map(|at| usize::try_from(at).ok().and_then(|at| self.0.get(at)));
        sets.map(|set| set.map_or(ANYTHING, frequency_of)).product()
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

/// The frequency of each byte.
const FREQUENCIES: [f64; 256] = frequencies();
/// The sum of all frequencies.
const ANYTHING: f64 = sum(&FREQUENCIES);

/// A rough guess at the frequency of a byte in the memory of processes.
pub(super) fn frequency(byte: u8) -> f64 {
    FREQUENCIES
        .get(usize::from(byte))
        .copied()
        .unwrap_or_default()
}

fn frequency_of(set: &ByteSet) -> f64 {
    set.iter().map(frequency).sum()
}

const fn frequencies() -> [f64; 256] {
    const SMALL: [f64; 26] = [
        0.050, 0.012, 0.030, 0.030, 0.080, 0.020, 0.016, 0.030, 0.055, 0.004, 0.008, 0.035, 0.025,
        0.050, 0.050, 0.025, 0.003, 0.050, 0.050, 0.065, 0.025, 0.008, 0.012, 0.007, 0.012, 0.004,
    ];
    let mut all = [0.004; 256];
    let (mut byte, mut rest): (u8, &mut [f64]) = (0, &mut all);
    while let [now, more @ ..] = rest {
        match byte {
            0 => *now = 0.3,
            b' ' => *now = 0.03,
            b'0'..=b'9' | 1..=8 | 0xff => *now = 0.015,
            b'A'..=b'Z' => *now = 0.005,
            b'"' | b'/' | b'.' | b'-' | b'_' | b'\n' | b':' | b',' | b'=' => {
                *now = 0.01;
            }
            _ => {}
        }
        byte = byte.wrapping_add(1);
        rest = more;
    }
    let (_, letters) = all.split_at_mut(b'a' as usize);
    let (letters, _) = letters.split_at_mut(SMALL.len());
    letters.copy_from_slice(&SMALL);
    all
}

const fn sum(mut rest: &[f64]) -> f64 {
    let mut sum = 0.0;
    while let [first, more @ ..] = rest {
        sum += *first;
        rest = more;
    }
    sum
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
        let anchor = Anchor::literal(b"abc");
        assert!(anchor.is_usable());
        let [even, odd] = [0, 1].map(|parity| anchor.choices(parity).remove(0));
        assert_eq!((even.offset, even.grams.len()), (0, 256));
        assert_eq!((odd.offset, odd.grams.len()), (-1, 256));
        assert!(even.grams.contains(&u32::from_le_bytes(*b"abcx")));
        assert!(odd.grams.contains(&u32::from_le_bytes(*b"xabc")));
        assert!(!Anchor::literal(b"ab").is_usable());
    }

    #[test]
    fn a_check_has_the_bytes_beside_the_window() {
        let check = Anchor::literal(b"/api/webhooks/").check(0);
        assert_eq!(check.mask, u32::MAX);
        let at = usize::try_from(check.offset).unwrap();
        assert_eq!(b"/api/webhooks/"[at..at + 4], check.gram.to_le_bytes());
        assert!(at >= GRAM);
        let nothing_more = Anchor::literal(b"ghp_").then(ByteSet::ALL).check(0);
        assert_eq!(nothing_more.mask, 0);
    }
}
