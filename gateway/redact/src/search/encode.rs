//! The encodings in which a value may stand in memory or in a file.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter pieces of base64 occur by chance.
const BASE64_MIN: usize = 6;

/// A value in one encoding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EncodedForm {
    /// The bytes to search for.
    pub(super) bytes: Vec<u8>,
    /// Whether the base64 character before them holds bits of the value.
    pub(super) before: bool,
    /// Whether the base64 character after them does.
    pub(super) after: bool,
}

impl EncodedForm {
    /// Bytes without neighbours that belong to them.
    pub(super) fn plain(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            before: false,
            after: false,
        }
    }
}

/// The value itself and its encodings: base64, percent-encoding, JSON, UTF-16.
pub(super) fn forms(value: &[u8]) -> BTreeSet<EncodedForm> {
    let plain = percent(value)
        .into_iter()
        .chain(json(value))
        .chain(utf16(value))
        .map(EncodedForm::plain);
    let mut forms: BTreeSet<EncodedForm> =
        plain.chain([EncodedForm::plain(value.to_vec())]).collect();
    for shift in 0..3 {
        forms.extend(base64(&STANDARD_NO_PAD, value, shift));
        forms.extend(base64(&URL_SAFE_NO_PAD, value, shift));
    }
    forms
}

/// The characters that `value` has in the base64 of a longer text if `shift` bytes modulo 3 come before it, without those
/// that depend on its neighbours.
pub(super) fn base64(engine: &impl Engine, value: &[u8], shift: usize) -> Option<EncodedForm> {
    let padded: Vec<u8> = vec![0; shift]
        .into_iter()
        .chain(value.iter().copied())
        .collect();
    let text = engine.encode(&padded).into_bytes();
    let first = (shift * 8).div_ceil(6);
    let bits = padded.len() * 8;
    let bytes = text
        .get(first..bits / 6)
        .filter(|stable| stable.len() >= BASE64_MIN)?
        .to_vec();
    Some(EncodedForm {
        bytes,
        before: shift > 0,
        after: !bits.is_multiple_of(6),
    })
}

/// Percent-encoded, as RFC 3986, JavaScript's `encodeURIComponent` and HTML forms do it, in both cases of hex.
fn percent(value: &[u8]) -> Vec<Vec<u8>> {
    const UNRESERVED: &[u8] = b"-._~";
    const COMPONENT: &[u8] = b"-._~!'()*";
    const FORM: &[u8] = b"-._*";
    let mut all = Vec::new();
    for (kept, plus) in [
        (UNRESERVED, false),
        (UNRESERVED, true),
        (COMPONENT, false),
        (FORM, true),
    ] {
        for upper in [true, false] {
            all.push(
                value
                    .iter()
                    .flat_map(|&byte| percent_byte(byte, kept, plus, upper))
                    .collect(),
            );
        }
    }
    all
}

fn percent_byte(byte: u8, kept: &[u8], plus: bool, upper: bool) -> Vec<u8> {
    match byte {
        b' ' if plus => vec![b'+'],
        _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => vec![byte],
        _ if upper => format!("%{byte:02X}").into_bytes(),
        _ => format!("%{byte:02x}").into_bytes(),
    }
}

/// Escaped as in a JSON string: as most encoders do it, as Go does it for HTML's sake, and in pure ASCII.
fn json(value: &[u8]) -> Vec<Vec<u8>> {
    let Ok(text) = str::from_utf8(value) else {
        return Vec::new();
    };
    let escape = |html: bool, ascii: bool| {
        text.chars()
            .map(|c| json_char(c, html, ascii))
            .collect::<String>()
            .into_bytes()
    };
    vec![
        escape(false, false),
        escape(true, false),
        escape(false, true),
    ]
}

fn json_char(c: char, html: bool, ascii: bool) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html => format!("\\u{:04x}", u32::from(c)),
        _ if c < ' ' => format!("\\u{:04x}", u32::from(c)),
        _ if ascii && !c.is_ascii() => {
            let units = c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<Vec<_>>();
            units.concat()
        }
        _ => c.to_string(),
    }
}

/// As .NET, and Java for some texts, keep it in memory.
fn utf16(value: &[u8]) -> Option<Vec<u8>> {
    Some(
        str::from_utf8(value)
            .ok()?
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(value: &str, form: &str) -> bool {
        forms(value.as_bytes())
            .iter()
            .any(|known| known.bytes == form.as_bytes())
    }

    #[test]
    fn finds_a_value_in_the_base64_of_a_longer_text() {
        let value = b"s3cr3t-v\xffalue";
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            for before in 0..4 {
                let text: Vec<u8> = b"user:"[..before]
                    .iter()
                    .chain(value)
                    .chain(b"@host")
                    .copied()
                    .collect();
                let text = engine.encode(text).into_bytes();
                let found = forms(value).iter().any(|form| {
                    form.bytes.len() > 12 && memchr::memmem::find(&text, &form.bytes).is_some()
                });
                assert!(found, "{before}");
            }
        }
    }

    #[test]
    fn knows_how_encoders_write_a_value() {
        assert!(has("p w&d~*", "p%20w%26d~%2A"));
        assert!(has("p w&d~*", "p+w%26d%7E*"));
        assert!(has("p<w/", "p%3cw%2f"));
        assert!(has("a<\"b\\\n", "a\\u003c\\\"b\\\\\\n"));
        assert!(has("pässword", "p\\u00e4ssword"));
        assert!(has("ab", "a\0b\0"));
    }
}
