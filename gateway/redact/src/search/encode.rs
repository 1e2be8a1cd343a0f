//! The encodings in which a value may stand in memory or in a file.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter pieces of base64 occur by chance.
const BASE64_MIN: usize = 6;
/// The same for base32.
const BASE32_MIN: usize = 8;

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

/// The encodings of the value that no escape changes: base64, also of base64 and of JSON, hex and base32.
pub(super) fn encodings(value: &[u8]) -> BTreeSet<EncodedForm> {
    let mut all: BTreeSet<EncodedForm> = hex(value).map(EncodedForm::plain).collect();
    all.extend((0..5).filter_map(|shift| base32(value, shift)));
    let once = base64_forms(value);
    all.extend(once.iter().flat_map(|form| base64_forms(&form.bytes)));
    all.extend(once);
    for text in json(value).into_iter().filter(|text| text != value) {
        all.extend(base64_forms(&text));
    }
    all
}

/// The texts of which pieces are looked for where a place holds only a few bytes.
pub(super) fn texts(value: &[u8]) -> BTreeSet<Vec<u8>> {
    let plain = percent(value)
        .into_iter()
        .chain(json(value))
        .chain(utf16(value))
        .chain([value.to_vec()]);
    let base64 = base64_forms(value).into_iter().map(|form| form.bytes);
    plain.chain(base64).collect()
}

/// In both alphabets at each of the three alignments.
fn base64_forms(value: &[u8]) -> BTreeSet<EncodedForm> {
    let shifts = 0..3;
    let both = shifts.map(|shift| {
        [
            base64(&STANDARD_NO_PAD, value, shift),
            base64(&URL_SAFE_NO_PAD, value, shift),
        ]
    });
    both.flatten().flatten().collect()
}

/// In both cases, without a separator and with those that tools write.
fn hex(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let forms = ["", ":", " ", "-"].into_iter().flat_map(|separator| {
        let lower = value
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>();
        let lower = lower.join(separator);
        [lower.to_ascii_uppercase(), lower]
    });
    forms.map(String::into_bytes)
}

/// The characters that `value` has in the base32 (RFC 4648, section 6) of a longer text if `shift` bytes modulo 5 come before
/// it, without those that depend on its neighbours.
fn base32(value: &[u8], shift: usize) -> Option<EncodedForm> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bit = |at: usize| {
        let byte = value.get((at / 8).checked_sub(shift)?)?;
        Some(usize::from(byte >> (7 - at % 8) & 1))
    };
    let bits = (shift + value.len()) * 8;
    let characters = (shift * 8).div_ceil(5)..bits / 5;
    let bytes: Option<Vec<u8>> = characters
        .map(|character| {
            let bits = character * 5..character * 5 + 5;
            let index = bits
                .into_iter()
                .try_fold(0, |all, at| Some(all << 1 | bit(at)?))?;
            ALPHABET.get(index).copied()
        })
        .collect();
    Some(EncodedForm {
        bytes: bytes.filter(|bytes| bytes.len() >= BASE32_MIN)?,
        before: shift > 0,
        after: !bits.is_multiple_of(5),
    })
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
        texts(value.as_bytes()).contains(form.as_bytes())
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
                let found = encodings(value).iter().any(|form| {
                    form.bytes.len() > 12 && memchr::memmem::find(&text, &form.bytes).is_some()
                });
                assert!(found, "{before}");
            }
        }
    }

    #[test]
    fn finds_a_value_in_the_base32_of_a_longer_text() {
        // RFC 4648, section 10: BASE32("foobar") = "MZXW6YTBOI======".
        let form = base32(b"foobar", 0).unwrap();
        assert_eq!(
            (form.bytes.as_slice(), form.after),
            (&b"MZXW6YTBO"[..], true)
        );
        // "12foobar" is "GEZGM33PMJQXE===".
        assert_eq!(base32(b"foobar", 2).unwrap().bytes, b"M33PMJQXE"[..8]);
    }

    #[test]
    fn writes_hex_as_tools_do() {
        let forms = encodings(b"J\xffk");
        for form in ["4aff6b", "4AFF6B", "4a:ff:6b", "4A-FF-6B"] {
            assert!(forms.contains(&EncodedForm::plain(form.into())), "{form}");
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
