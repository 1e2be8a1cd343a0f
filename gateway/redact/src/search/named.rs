//! Finds a variable's value where the variable stands: `NAME=value`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::anchor::Anchor;
use super::escape::EscapedValue;

/// Signs between the name and the value.
const QUOTES: [&[u8]; 9] = [
    b"", b"\"", b"'", b"\\\"", b"\\'", b"&quot;", b"%22", b"%27", b"$'",
];

/// The filter looks for so many bytes of a name.
const NOTICED: usize = 32;
/// With more values of one variable, whatever stands behind its name is hidden.
const VALUES_MAX: usize = 16;
/// The most bytes that are hidden then.
const HIDDEN_MAX: usize = 4096;

/// Variables whose names begin alike, with their values.
#[derive(Debug, Default)]
pub(super) struct NamedNeedles {
    /// By the name and the equals sign.
    by_name: BTreeMap<Vec<u8>, Vec<Arc<NamedNeedle>>>,
    longest: usize,
}

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

    /// The value, if the variable's name begins at `at` of `text`.
    fn find(&self, text: &[u8], at: usize, effort: &mut usize) -> Option<Range<usize>> {
        text.get(at..)?.starts_with(&self.name).then_some(())?;
        begins_name(text, at).then_some(())?;
        let behind = at + self.name.len();
        QUOTES.iter().find_map(|quote| {
            text.get(behind..)?.starts_with(quote).then_some(())?;
            let start = behind + quote.len();
            let end = self.value.end(text, start, effort)?;
            let goes_on = text
                .get(end)
                .is_some_and(|&byte| is_part_of_name(byte) || byte == b'-');
            (!goes_on).then_some(start..end)
        })
    }
}

impl NamedNeedles {
    /// The needles by the first bytes of their names, which the filter looks for. Names of one byte are found among others too
    /// often, and left out.
    pub(super) fn noticed_by(needles: Vec<Arc<NamedNeedle>>) -> Vec<(Anchor, Self)> {
        let mut groups: BTreeMap<Vec<u8>, Self> = BTreeMap::new();
        for needle in needles {
            let noticed = needle.name.get(..NOTICED).unwrap_or(&needle.name);
            let group = groups.entry(noticed.to_vec()).or_default();
            group.longest = group.longest.max(needle.name.len());
            let values = group.by_name.entry(needle.name.clone()).or_default();
            values.push(needle);
        }
        let groups = groups.into_iter();
        let groups = groups.map(|(noticed, group)| (Anchor::literal(&noticed), group));
        groups.filter(|(anchor, _)| anchor.is_usable()).collect()
    }

    /// Calls `found` with the rule and the extent of each value, if the name of one of the variables begins at `at` of `text`.
    pub(super) fn find(
        &self,
        text: &[u8],
        at: usize,
        effort: &mut usize,
        found: &mut impl FnMut(usize, Range<usize>),
    ) {
        let here = text.get(at..).unwrap_or_default();
        let here = here.get(..self.longest).unwrap_or(here);
        let name = memchr::memchr(b'=', here).and_then(|equals| here.get(..=equals));
        let Some((name, needles)) = name.and_then(|name| self.by_name.get_key_value(name)) else {
            return;
        };
        if needles.len() > VALUES_MAX {
            let rule = needles.first().map(|needle| needle.rule);
            let behind = at + name.len();
            if let Some(rule) = rule.filter(|_| begins_name(text, at)) {
                found(rule, behind..end_of_any(text, behind));
            }
            return;
        }
        for needle in needles {
            if let Some(range) = needle.find(text, at, effort) {
                found(needle.rule, range);
            }
        }
    }
}

fn is_part_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a name may begin at `at`.
fn begins_name(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    before.is_none_or(|&byte| !is_part_of_name(byte) || follows_escape(text, at))
}

/// The end of a value, whatever it is.
fn end_of_any(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default().iter();
    let value = rest
        .take(HIDDEN_MAX)
        .take_while(|byte| !matches!(byte, 0 | b'\n'));
    start + value.count()
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
    fn hides_all_behind_a_name_with_very_many_values() {
        let needle =
            |value: usize| NamedNeedle::new(value, "DB_MODE", format!("m{value}").as_bytes());
        let hidden = |values: usize, text: &'static str| -> Vec<&str> {
            let needles = (0..values).map(|value| Arc::new(needle(value)));
            let mut groups = NamedNeedles::noticed_by(needles.collect());
            let (_, group) = groups.pop().unwrap();
            let mut all = Vec::new();
            let mut add = |_, range: Range<usize>| all.push(&text[range]);
            group.find(text.as_bytes(), 0, &mut 0, &mut add);
            all
        };
        assert_eq!(hidden(VALUES_MAX, "DB_MODE=m3\0"), ["m3"]);
        assert_eq!(hidden(VALUES_MAX, "DB_MODE=other\0"), [""; 0]);
        assert_eq!(hidden(VALUES_MAX + 1, "DB_MODE=other\0A=1"), ["other"]);
    }

    #[test]
    fn names_that_begin_alike_are_noticed_together() {
        let names = (0..100).map(|index| format!("{}_{index}", "LONG".repeat(10)));
        let needles = names.map(|name| Arc::new(NamedNeedle::new(0, &name, b"on")));
        let groups = NamedNeedles::noticed_by(needles.collect());
        assert_eq!(groups.len(), 1);
        let text = format!("{}_57=on\0", "LONG".repeat(10));
        let mut all = Vec::new();
        let mut add = |_, range: Range<usize>| all.push(&text[range]);
        groups[0].1.find(text.as_bytes(), 0, &mut 0, &mut add);
        assert_eq!(all, ["on"]);
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
