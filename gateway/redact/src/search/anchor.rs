use super::bytes::ByteSet;

/// The bytes in which the filter looks.
pub(super) const GRAM: usize = 4;
/// No window lies further inside an anchor: matches start at most so far before what gave them away.
const REACH: isize = 64;
/// The most grams of one window.
const GRAMS_MAX: usize = 4096;

/// Something that every match of a pattern has, at a known place: one set of bytes for each position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Anchor(Vec<ByteSet>);

/// The grams by which an anchor is noticed when it begins at even (or odd) offsets: each begins `offset` bytes after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) offset: isize,
    pub(super) grams: Vec<u32>,
}

impl Anchor {
    /// These bytes.
    pub(super) fn literal(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|&byte| ByteSet::of([byte])).collect())
    }

    /// One of `class`, next.
    pub(super) fn then(mut self, class: ByteSet) -> Self {
        self.0.push(class);
        self
    }

    /// These bytes, next.
    pub(super) fn then_literal(mut self, bytes: &[u8]) -> Self {
        self.0.extend(Self::literal(bytes).0);
        self
    }

    /// Whether it is at the start of `bytes`.
    pub(super) fn starts(&self, bytes: &[u8]) -> bool {
        bytes.len() >= self.0.len()
            && self
                .0
                .iter()
                .zip(bytes)
                .all(|(set, &byte)| set.contains(byte))
    }

    /// The rarest windows at an even and at an odd offset, since the filter looks at every other position only; `None` for
    /// an anchor that is too short to be noticed in this way.
    pub(super) fn windows(&self) -> Option<[Window; 2]> {
        Some([self.window(0)?, self.window(1)?])
    }

    fn window(&self, parity: isize) -> Option<Window> {
        let last = isize::try_from(self.0.len()).ok()?.min(REACH) - 3;
        let offsets = (-1..=last).filter(|offset| offset.rem_euclid(2) == parity);
        let best = offsets
            .filter(|&offset| {
                self.sets(offset)
                    .iter()
                    .map(|set| set.iter().count())
                    .product::<usize>()
                    <= GRAMS_MAX
            })
            .min_by(|&a, &b| self.chance(a).total_cmp(&self.chance(b)))?;
        Some(Window {
            offset: best,
            grams: expand(&self.sets(best)),
        })
    }

    /// How often the window's grams are to be expected.
    fn chance(&self, offset: isize) -> f64 {
        self.sets(offset)
            .iter()
            .map(|set| set.iter().map(chance).sum::<f64>())
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

/// A rough guess at how common a byte is in the memory of processes.
pub(super) fn chance(byte: u8) -> f64 {
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
    fn an_anchor_of_three_bytes_is_noticed_at_even_and_odd_offsets() {
        let [even, odd] = Anchor::literal(b"abc").windows().unwrap();
        assert_eq!((even.offset, even.grams.len()), (0, 256));
        assert_eq!((odd.offset, odd.grams.len()), (-1, 256));
        assert!(even.grams.contains(&u32::from_le_bytes(*b"abcx")));
        assert!(odd.grams.contains(&u32::from_le_bytes(*b"xabc")));
        assert_eq!(Anchor::literal(b"ab").windows(), None);
    }
}
