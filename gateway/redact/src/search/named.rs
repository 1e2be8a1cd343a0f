//! Finds a variable's value where the variable stands: `NAME=value`.

use std::ops::Range;

use super::anchor::Anchor;
use super::escape::EscapedValue;

/// Signs between the name and the value.
const QUOTES: [&[u8]; 9] = [
    b"", b"\"", b"'", b"\\\"", b"\\'", b"&quot;", b"%22", b"%27", b"$'",
];

/// A value to find behind its variable's name only.
#[derive(Debug)]
pub(super) struct NamedNeedle {
    /// The rule's index in the plan.
    pub(super) rule: usize,
    /// The name and the equals sign.
    name: Vec<u8>,
    value: EscapedValue,
}

impl NamedNeedle {
    pub(super) fn new(rule: usize, name: &str, value: &[u8]) -> Self {
        Self {
            rule,
            name: format!("{name}=").into_bytes(),
            value: EscapedValue::without_spots(value.to_vec()),
        }
    }

    /// The bytes that the filter looks for; `None` if the name is too short to be found among others.
    pub(super) fn anchor(&self) -> Option<Anchor> {
        let anchor = Anchor::literal(&self.name);
        anchor.is_usable().then_some(anchor)
    }

    /// The value, if the variable's name begins at `at` of `text`.
    pub(super) fn find(&self, text: &[u8], at: usize, effort: &mut usize) -> Option<Range<usize>> {
        text.get(at..)?.starts_with(&self.name).then_some(())?;
        let is_part_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        before
            .is_none_or(|byte| !is_part_of_name(byte) || follows_escape(text, at))
            .then_some(())?;
        let behind = at + self.name.len();
        QUOTES.iter().find_map(|quote| {
            text.get(behind..)?.starts_with(quote).then_some(())?;
            let start = behind + quote.len();
            let end = self.value.end(text, start, effort)?;
            let goes_on = text
                .get(end)
                .is_some_and(|byte| is_part_of_name(byte) || *byte == b'-');
            (!goes_on).then_some(start..end)
        })
    }
}

/// Whether the letter before `at` is the end of an escape: `\nNAME=value` in JSON, `%0ANAME=value`.
fn follows_escape(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(3)..at).unwrap_or_default();
    matches!(before, [.., b'\\', b'n' | b'r' | b't' | b'0'])
        || matches!(before, [b'%', b'0' | b'2', _])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let needle = NamedNeedle::new(0, "DB_MODE", b"read-write");
        let mut all = (0..text.len()).filter_map(|at| needle.find(text.as_bytes(), at, &mut 0));
        all.next().map(|range| &text[range])
    }

    #[test]
    fn finds_a_value_behind_its_name_only() {
        for text in [
            "DB_MODE=read-write",
            "export DB_MODE='read-write'\n",
            "{\"env\":\"A=1\\nDB_MODE=\\\"read-write\\\"\"}",
            "?x=1%0ADB_MODE=read-write&y",
        ] {
            assert_eq!(found(text), Some("read-write"), "{text}");
        }
        assert_eq!(found("DB_MODE=read%2Dwrite;"), Some("read%2Dwrite"));
        for text in [
            "read-write",
            "MY_DB_MODE=read-write",
            "DB_MODE=read-write-all",
            "DB_MODE=read",
            "DB_MODE: read-write",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
