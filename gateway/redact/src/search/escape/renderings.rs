//! The ways in which texts write a few characters of which hardly any is a letter or a digit.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use super::super::anchor::Anchor;
use super::Spot;
use super::entity;
use super::width::Width;

/// Characters that make a spot.
const COUNT: usize = 3;

/// One way to escape a character; `None` where it has none.
type Escape = fn(char) -> Option<String>;

const ESCAPES: [Escape; 29] = [
    |it| Some(percent(it, "%", false)),
    |it| Some(percent(it, "%", true)),
    |it| Some(percent(it, "%25", false)),
    |it| Some(percent(it, "%25", true)),
    |it| Some(units(it, "\\u", false)),
    |it| Some(units(it, "\\u", true)),
    |it| Some(units(it, "\\\\u", false)),
    |it| (it == ' ').then(|| "+".to_owned()),
    |it| Some(format!("\\{}", letter_of(it))),
    |it| Some(format!("\\\\{}", letter_of(it))),
    |it| Some(format!("\\\\\\{it}")),
    |it| (it == '\\').then(|| "\\".repeat(4)),
    // JSON in JSON in JSON.
    |it| Some(format!("{}{it}", "\\".repeat(7))),
    |it| Some(format!("{}{}", "\\".repeat(4), letter_of(it))),
    |it| Some(units(it, r"\\\\u", false)),
    |it| Some(percent(it, r"\x", false)),
    |it| Some(percent(it, r"\x", true)),
    |it| Some(percent(it, r"\\x", false)),
    |it| Some(octal(it)),
    |it| entity::name_of(it).map(|name| format!("&{name};")),
    |it| Some(format!("&#{};", u32::from(it))),
    |it| Some(format!("&#x{:x};", u32::from(it))),
    |it| Some(format!("&#x{:X};", u32::from(it))),
    |it| (it == '\n').then(|| "\r\n".to_owned()),
    |it| matches!(it, '\'' | '"').then(|| format!("{it}{it}")),
    // Shells end a quoted text before a quote, and begin the next behind it.
    |it| (it == '\'').then(|| r"'\''".to_owned()),
    |it| (it == '\'').then(|| r#"'"'"'"#.to_owned()),
    |it| (it == '\'').then(|| r"'\\''".to_owned()),
    |it| (it == '\'').then(|| r#"'\"'\"'"#.to_owned()),
];

/// Spots of a value without three letters or digits in a row.
pub(super) fn spots(first: &[u8]) -> Vec<Spot> {
    let Some((part, texts)) = of(first) else {
        return as_bytes(first);
    };
    let spot = |text: String| Spot {
        anchor: Anchor::literal(text.as_bytes()),
        skip: 0,
        bytes: text.into_bytes(),
        part: part.clone(),
        width: Width::Bytes,
    };
    texts.into_iter().map(spot).collect()
}

/// A part of few signs, and the ways to write it; `None` if these bytes are no text or too short.
pub(super) fn of(first: &[u8]) -> Option<(Range<usize>, BTreeSet<String>)> {
    let text = std::str::from_utf8(first)
        .or_else(|error| std::str::from_utf8(first.get(..error.valid_up_to()).unwrap_or_default()))
        .ok()?;
    let characters: Vec<char> = text.chars().collect();
    let (at, part) = characters
        .windows(COUNT)
        .enumerate()
        .min_by_key(|(_, part)| {
            let count = |is: fn(&char) -> bool| part.iter().filter(|it| is(it)).count();
            // A quote may begin an escape of its own.
            (
                count(|it| !it.is_ascii_alphanumeric()),
                count(|it| matches!(it, '\'' | '"')),
            )
        })?;
    let length = |part: &[char]| part.iter().map(|it| it.len_utf8()).sum::<usize>();
    let start = length(characters.get(..at).unwrap_or_default());
    Some((start..start + length(part), renderings(part)))
}

/// Bytes that are no text.
fn as_bytes(first: &[u8]) -> Vec<Spot> {
    let part = first.get(..first.len().min(COUNT)).unwrap_or_default();
    let encoded = |upper: bool| {
        part.iter()
            .map(move |byte| hex(*byte, "%", upper))
            .collect::<String>()
    };
    let texts = [
        part.to_vec(),
        encoded(false).into_bytes(),
        encoded(true).into_bytes(),
    ];
    let spot = |bytes: Vec<u8>| Spot {
        anchor: Anchor::literal(&bytes),
        skip: 0,
        bytes,
        part: 0..part.len(),
        width: Width::Bytes,
    };
    texts
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(spot)
        .collect()
}

/// `part` with each of the escapes for some of the characters that are no letters or digits.
fn renderings(part: &[char]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for escape in ESCAPES {
        let mut texts = vec![String::new()];
        for character in part {
            let own = Some(character.to_string());
            let escaped = Some(*character)
                .filter(|it| !it.is_ascii_alphanumeric())
                .and_then(escape);
            let ways: Vec<String> = own.into_iter().chain(escaped).collect();
            let longer = |text: String| {
                ways.iter()
                    .map(move |way| format!("{text}{way}"))
                    .collect::<Vec<_>>()
            };
            texts = texts.into_iter().flat_map(longer).collect();
        }
        all.extend(texts);
    }
    all
}

fn percent(character: char, sign: &str, upper: bool) -> String {
    let mut bytes = [0; 4];
    let text = character.encode_utf8(&mut bytes).as_bytes();
    text.iter().map(|byte| hex(*byte, sign, upper)).collect()
}

fn hex(byte: u8, sign: &str, upper: bool) -> String {
    if upper {
        format!("{sign}{byte:02X}")
    } else {
        format!("{sign}{byte:02x}")
    }
}

/// Backslashes with three octal digits.
fn octal(character: char) -> String {
    let mut bytes = [0; 4];
    let bytes = character.encode_utf8(&mut bytes).bytes();
    bytes.fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        _ = write!(text, "\\{byte:03o}");
        text
    })
}

fn units(character: char, sign: &str, upper: bool) -> String {
    let mut units = [0; 2];
    let units = character.encode_utf16(&mut units).iter();
    let one = |unit: &u16| {
        if upper {
            format!("{sign}{unit:04X}")
        } else {
            format!("{sign}{unit:04x}")
        }
    };
    units.map(one).collect()
}

/// The character that follows a backslash.
fn letter_of(character: char) -> char {
    match character {
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        other => other,
    }
}
