//! The text between the quotes of a JSON string (RFC 8259, section 7), character by character, so that parts of it can be
//! overwritten and it stays valid.

use std::ops::Range;

/// Stands for what cannot be decoded.
const REPLACEMENT: &str = "\u{fffd}";

/// One character of a literal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Character {
    /// Its position in the literal.
    pub(super) raw: Range<usize>,
    /// The decoded character.
    pub(super) text: Vec<u8>,
}

/// The characters of `literal`, escapes whole.
pub(super) fn characters(literal: &[u8]) -> impl Iterator<Item = Character> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = literal.get(at..).filter(|rest| !rest.is_empty())?;
        let (length, text) = character(rest);
        let start = at;
        at += length.clamp(1, rest.len());
        Some(Character {
            raw: start..at,
            text,
        })
    })
}

/// The decoded text of `literal`.
pub(super) fn decode(literal: &[u8]) -> Vec<u8> {
    characters(literal)
        .flat_map(|character| character.text)
        .collect()
}

/// The position of the quote that ends the literal which begins at `start`.
pub(super) fn end(text: &[u8], start: usize) -> usize {
    let mut at = start;
    loop {
        match text.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return at.min(text.len()),
            Some(_) => at += 1,
        }
    }
}

fn character(rest: &[u8]) -> (usize, Vec<u8>) {
    match rest {
        [b'\\', b'u', ..] => unicode(rest),
        [b'\\', escape, ..] => (2, vec![unescape(*escape)]),
        [first, ..] => {
            let length = match first {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            };
            let text = rest
                .get(..length)
                .filter(|text| std::str::from_utf8(text).is_ok());
            text.map_or((1, vec![*first]), |text| (length, text.to_vec()))
        }
        [] => (1, Vec::new()),
    }
}

fn unescape(escape: u8) -> u8 {
    match escape {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    }
}

/// `\uXXXX`, or a surrogate pair of them.
fn unicode(rest: &[u8]) -> (usize, Vec<u8>) {
    let text = |character: char| character.to_string().into_bytes();
    match (code(rest, 0), code(rest, 6)) {
        (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
            let number = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            (
                12,
                char::from_u32(number).map_or_else(|| REPLACEMENT.into(), text),
            )
        }
        (Some(number), _) => (
            6,
            char::from_u32(number).map_or_else(|| REPLACEMENT.into(), text),
        ),
        (None, _) => (6, REPLACEMENT.into()),
    }
}

fn code(rest: &[u8], at: usize) -> Option<u32> {
    let digits = rest.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decodes_what_serde_json_writes(text: String) {
            let literal = serde_json::to_string(&text).unwrap();
            let inner = &literal.as_bytes()[1..literal.len() - 1];
            prop_assert_eq!(decode(inner), text.as_bytes());
            prop_assert_eq!(end(literal.as_bytes(), 1), literal.len() - 1);
        }

        #[test]
        fn every_byte_belongs_to_one_character(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut at = 0;
            for character in characters(&bytes) {
                prop_assert_eq!(character.raw.start, at);
                at = character.raw.end;
            }
            prop_assert_eq!(at, bytes.len());
        }
    }

    #[test]
    fn escapes_are_one_character() {
        assert_eq!(
            decode(br#"a\"\u0062\ud83d\ude00\n\/"#),
            "a\"b\u{1f600}\n/".as_bytes()
        );
        let read: Vec<_> = characters(br"\ud83dx\u12")
            .map(|character| character.raw)
            .collect();
        assert_eq!(read, [0..6, 6..7, 7..11]);
    }
}
