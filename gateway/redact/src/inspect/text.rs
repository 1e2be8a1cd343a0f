//! Makes an archive's texts fit for display, and bounds them.

use gateway_core::one_line;

use super::text_mask::TextMask;
use crate::search::EnvValue;

/// All texts of one inspection together, in bytes. An archive with ten thousand processes gets a shorter answer, not a larger
/// one.
const MAX_TEXT: usize = 16 << 20;
/// Bytes that each text costs besides its own, so that a list of empty ones is bounded, too.
const COST: usize = 32;

/// The bytes of text that an inspection may still return.
#[derive(Debug)]
pub(crate) struct TextBudget {
    left: usize,
    exceeded: bool,
    mask: TextMask,
}

impl TextBudget {
    /// Masks the values of those of these variables whose names suggest secrets in texts that are made from now on.
    pub(super) fn learn(&mut self, values: &[EnvValue]) {
        self.mask = TextMask::new(values);
    }

    /// `text` as one line of at most `max` bytes; `None` once the budget is used up.
    pub(super) fn line(&mut self, text: &[u8], max: usize) -> Option<String> {
        // A little more than is returned, so that `one_line` marks that it is shortened.
        let text = text.get(..max.saturating_add(8)).unwrap_or(text);
        let line = one_line(&String::from_utf8_lossy(text), max);
        self.spend(line.len()).then_some(line)
    }

    /// As [`Self::line`], with everything masked in it that looks like a secret.
    pub(crate) fn masked_line(&mut self, text: &[u8], max: usize) -> Option<String> {
        self.line(&self.mask.masked(text), max)
    }

    /// Counts an item with `bytes` bytes of text against the budget; `false` once it is used up.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes.saturating_add(COST));
        match left {
            Some(left) => self.left = left,
            None => self.note_omission(),
        }
        left.is_some()
    }

    /// The first `max` of `items`, as far as the budget goes.
    pub(super) fn list<T, U>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        max: usize,
        mut make: impl FnMut(&mut Self, T) -> Option<U>,
    ) -> Vec<U> {
        let mut list = Vec::new();
        for item in items {
            if list.len() == max {
                self.note_omission();
                break;
            }
            let Some(item) = make(self, item) else { break };
            list.push(item);
        }
        list
    }

    /// Notes that something is left out.
    pub(crate) fn note_omission(&mut self) {
        self.exceeded = true;
    }

    /// Whether anything was left out.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.exceeded
    }
}

impl Default for TextBudget {
    fn default() -> Self {
        Self {
            left: MAX_TEXT,
            exceeded: false,
            mask: TextMask::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_single_lines_within_a_budget() {
        let mut texts = TextBudget::default();
        assert_eq!(texts.line(b"a\x1b[31m\nb", 100).unwrap(), "a [31m b");
        assert_eq!(texts.line(b"abcdef", 3).unwrap(), "abc\u{2026}");
        assert_eq!(texts.line(b"\xff\xfe", 100).unwrap(), "\u{fffd}\u{fffd}");
        assert!(!texts.is_exceeded());
        let long = vec![b'a'; 1 << 20];
        let list = texts.list(std::iter::repeat(&long), 1000, |texts, text| {
            texts.line(text, 1 << 20)
        });
        assert_eq!(list.len(), 15);
        assert!(texts.is_exceeded());
    }
}
