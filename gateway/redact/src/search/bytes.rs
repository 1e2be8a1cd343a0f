//! Sets of bytes.

/// A set of bytes: a position of an anchor, or a character class of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    /// Every byte.
    pub(super) const ALL: Self = Self([u64::MAX; 4]);

    /// The set of these bytes.
    pub(super) fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        bytes.into_iter().fold(Self::default(), |mut set, byte| {
            set.insert(byte);
            set
        })
    }

    pub(super) fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0
            .get(usize::from(byte >> 6))
            .is_some_and(|word| word >> (byte & 63) & 1 == 1)
    }

    /// Its bytes, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        let words = self.0.iter().zip((0..=u8::MAX).step_by(64));
        words.flat_map(|(&word, first)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let next = u8::try_from(left.trailing_zeros()).ok()?;
                left &= left.checked_sub(1)?;
                Some(first + next)
            })
        })
    }

    /// The number of its bytes.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Its byte, if it has only one.
    pub(super) fn single(&self) -> Option<u8> {
        self.iter().next().filter(|_| self.len() == 1)
    }
}
