//! Cuts names of variables into words: at separators, digits and changes of case.

use memchr::memmem::Finder;

/// A name in small letters without its separators, and where its words begin and end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    letters: Vec<u8>,
    /// Whether a word may begin or end before the letter of this index; one more than there are letters.
    edges: Vec<bool>,
    /// Whether a separator stood before the letter of this index.
    gaps: Vec<bool>,
}

impl Cut {
    /// Cuts at separators, digits and changes of case. Between capitals and small letters both ways to read count: `APIKey` and
    /// `APIkey` have the word `key`.
    pub(super) fn by_case(name: &[u8]) -> Self {
        Self::new(name, |before, here, after| {
            let upper = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_uppercase());
            let lower = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase());
            let [earlier, last] = before;
            (lower(last) && upper(here))
                || (upper(last) && upper(here) && lower(after))
                || (upper(earlier) && upper(last) && lower(here))
        })
    }

    /// Cuts at separators and digits only.
    pub(super) fn by_separators(name: &[u8]) -> Self {
        Self::new(name, |_, _, _| false)
    }

    /// `is_edge` gets the two bytes before an edge and the two behind it.
    fn new(name: &[u8], is_edge: impl Fn([Option<u8>; 2], Option<u8>, Option<u8>) -> bool) -> Self {
        let mut cut = Self::default();
        let (mut before, mut gap) = ([None, None], true);
        let mut bytes = name.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if byte.is_ascii() && !byte.is_ascii_alphanumeric() {
                (before, gap) = ([None, None], true);
                continue;
            }
            let digit = |byte: u8| byte.is_ascii_digit();
            let [_, last] = before;
            let changes = last.is_some_and(|last| digit(last) != digit(byte));
            let edge = gap || changes || is_edge(before, Some(byte), bytes.peek().copied());
            cut.edges.push(edge);
            cut.gaps.push(gap);
            cut.letters.push(byte.to_ascii_lowercase());
            (before, gap) = ([last, Some(byte)], false);
        }
        cut.edges.push(true);
        cut
    }

    /// Whether the letters of `word` stand one after the other anywhere.
    pub(super) fn has_anywhere(&self, word: &Finder<'_>) -> bool {
        let mut found = word.find_iter(&self.letters);
        found.any(|at| self.is_joined(at, word.needle()))
    }

    /// Whether it has `word` as a whole word.
    pub(super) fn has_word(&self, word: &[u8]) -> bool {
        self.whole(word).any(|at| self.is_joined(at, word))
    }

    /// Whether it has `phrase` as whole words, with or without separators between them.
    pub(super) fn has_phrase(&self, phrase: &[u8]) -> bool {
        self.whole(phrase).next().is_some()
    }

    /// The words between neighbouring edges.
    pub(super) fn words(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.edges().skip(1);
        let words = self.edges().zip(ends);
        words.filter_map(|(start, end)| self.letters.get(start..end))
    }

    /// The last word; empty if there is none.
    pub(super) fn last_word(&self) -> &[u8] {
        self.words().last().unwrap_or_default()
    }

    fn edges(&self) -> impl Iterator<Item = usize> + '_ {
        let edges = self.edges.iter().enumerate();
        edges.filter_map(|(at, edge)| edge.then_some(at))
    }

    /// The positions at which `word` stands between edges.
    fn whole<'a>(&'a self, word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let ends = |at: usize| self.edges.get(at + word.len()) == Some(&true);
        self.edges().filter(move |&at| {
            let rest = self.letters.get(at..);
            ends(at) && rest.is_some_and(|rest| rest.starts_with(word))
        })
    }

    /// Whether no separator stands within the word at `at`.
    fn is_joined(&self, at: usize, word: &[u8]) -> bool {
        let inner = self.gaps.get(at + 1..at + word.len());
        inner.is_some_and(|gaps| !gaps.contains(&true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str) -> String {
        let cut = Cut::by_case(name.as_bytes());
        let words: Vec<_> = cut.words().map(String::from_utf8_lossy).collect();
        words.join(" ")
    }

    #[test]
    fn cuts_at_separators_digits_and_changes_of_case() {
        for (name, wanted) in [
            ("DB_PASS", "db pass"),
            ("dbPass", "db pass"),
            ("x-api.key", "x api key"),
            ("AES256KEY", "aes 256 key"),
            ("Key2", "key 2"),
            ("__A__", "a"),
            ("", ""),
            ("MONKEYS", "monkeys"),
        ] {
            assert_eq!(words(name), wanted, "{name}");
        }
    }

    #[test]
    fn reads_capitals_before_small_letters_both_ways() {
        for name in ["APIKey", "APIkey", "apiKey", "API_key"] {
            assert!(Cut::by_case(name.as_bytes()).has_word(b"key"), "{name}");
        }
        assert!(!Cut::by_case(b"Skey").has_word(b"key"));
    }
}
