//! The bytes by which a value is noticed, however a text writes it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::anchor::Anchor;
use super::super::bytes::ByteSet;
use super::Spot;
use super::renderings;
use super::width::Width;

/// A spot lies in the first bytes of a value, since a match may begin only so far before it.
const FIRST: usize = 256;
/// The longest piece of a value that a spot needs.
const LONGEST: usize = 24;
/// Shorter pieces occur often by chance.
const SHORTEST: usize = 3;
/// From this length on, a piece has a window of known bytes at an even and at an odd offset.
const ENOUGH: usize = 5;

/// The texts in which a value is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Extent {
    /// With any escapes, also of every character, in any width.
    Everything,
    /// In bytes, with any escapes of what usually is escaped.
    Usual,
}

/// The spots of a value.
pub(super) fn of(value: &[u8], extent: Extent) -> Vec<Spot> {
    let first = value.get(..FIRST).unwrap_or(value);
    let mut spots = usual(value, first);
    if extent == Extent::Everything {
        spots.extend(every_character(first));
        spots.extend(wide(value, first));
    }
    spots.retain(|spot| spot.anchor.is_usable());
    spots
}

/// Spots of texts that leave letters and digits as they are.
fn usual(value: &[u8], first: &[u8]) -> Vec<Spot> {
    let Some(run) = best_run(first) else {
        return renderings::spots(first);
    };
    let bytes = first.get(run.clone()).unwrap_or_default().to_vec();
    let (mut anchor, mut skip) = (Anchor::literal(&bytes), 0);
    if bytes.len() < ENOUGH {
        let before = run.start.checked_sub(1).and_then(|at| value.get(at));
        if let Some(before) = before {
            anchor = Anchor::literal(b"")
                .then(last_bytes(*before))
                .then_literal(&bytes);
            skip = 1;
        }
        if let Some(after) = value.get(run.end) {
            anchor = anchor.then(first_bytes(*after));
        }
    }
    vec![Spot {
        anchor,
        skip,
        bytes,
        part: run,
        width: Width::Bytes,
    }]
}

/// The longest pieces of letters and digits, in parts of up to [`LONGEST`] bytes.
fn runs(first: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = first.get(at..)?;
        at += rest.iter().position(u8::is_ascii_alphanumeric)?;
        let run = first.get(at..)?.iter();
        let length = run
            .take(LONGEST)
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let start = at;
        at += length;
        Some(start..at)
    })
}

/// The rarest piece of letters and digits.
fn best_run(first: &[u8]) -> Option<Range<usize>> {
    let long = runs(first).filter(|run| run.len() >= SHORTEST);
    long.min_by(|a, b| {
        let rarity = |run: &Range<usize>| {
            let bytes = first.get(run.clone()).unwrap_or_default();
            Anchor::literal(bytes).rarity()
        };
        rarity(a).total_cmp(&rarity(b))
    })
}

/// The bytes with which texts that stand for `byte` may begin.
fn first_bytes(byte: u8) -> ByteSet {
    ByteSet::of([byte].into_iter().chain(*b"%\\&").chain(match byte {
        b' ' => Some(b'+'),
        b'\'' => Some(b'"'),
        b'\n' => Some(b'\r'),
        _ => None,
    }))
}

/// The bytes with which texts that stand for `byte` may end.
fn last_bytes(byte: u8) -> ByteSet {
    let more: &[u8] = match byte {
        b' ' => b"+",
        b'\n' => b"n \t",
        b'\r' => b"r",
        b'\t' => b"t",
        8 => b"b",
        7 => b"a",
        11 => b"v",
        12 => b"f",
        _ => b"",
    };
    let usual = [byte].into_iter().chain(*b";}0123456789abcdefABCDEF");
    ByteSet::of(usual.chain(more.iter().copied()))
}

/// Spots of texts that escape every character.
fn every_character(value: &[u8]) -> Vec<Spot> {
    let Some(at) = best_pair(value) else {
        return Vec::new();
    };
    let Some([first, second]) = value.get(at..at + 2) else {
        return Vec::new();
    };
    let lower = [format!("{first:02x}"), format!("{second:02x}")];
    let upper = [format!("{first:02X}"), format!("{second:02X}")];
    let mut texts = Vec::new();
    for [one, two] in [lower, upper] {
        texts.push((format!("%{one}%{two}"), format!("%{one}")));
        texts.push((format!("%25{one}%25{two}"), format!("%25{one}")));
        // What follows the first character's escape may itself be escaped.
        for sign in ["\\x", "\\\\x", "\\u00", "\\\\u00"] {
            texts.push((format!("{sign}{one}\\"), format!("{sign}{one}")));
        }
        for sign in ["&#x", "&#X"] {
            texts.push((format!("{sign}{one};&"), format!("{sign}{one};")));
        }
    }
    texts.push((format!("\\{first:03o}\\"), format!("\\{first:03o}")));
    texts.push((format!("&#{first};&"), format!("&#{first};")));
    texts.sort();
    texts.dedup();
    let spot = |(anchor, bytes): (String, String)| Spot {
        anchor: Anchor::literal(anchor.as_bytes()),
        skip: 0,
        bytes: bytes.into_bytes(),
        part: at..at + 1,
        width: Width::Bytes,
    };
    texts.into_iter().map(spot).collect()
}

/// Two characters of ASCII whose hex digits have the same form in both cases, if there are any.
fn best_pair(first: &[u8]) -> Option<usize> {
    let digits = |byte: u8| usize::from(byte & 15 > 9) + usize::from(byte >> 4 > 9);
    let pairs = first.windows(2).take(64).enumerate();
    let ascii = pairs.filter(|(_, pair)| pair.is_ascii());
    let letters = |(_, pair): &(usize, &[u8])| pair.iter().map(|byte| digits(*byte)).sum::<usize>();
    ascii.min_by_key(letters).map(|(at, _)| at)
}

/// Spots of texts with two or four bytes for each character.
fn wide(value: &[u8], first: &[u8]) -> Vec<Spot> {
    if std::str::from_utf8(value).is_err() {
        return Vec::new();
    }
    let run = best_run(first).and_then(|run| {
        let text = std::str::from_utf8(first.get(run.clone())?).ok()?;
        Some((run, BTreeSet::from([text.to_owned()])))
    });
    let Some((part, texts)) = run.or_else(|| renderings::of(first)) else {
        return Vec::new();
    };
    let spots = texts.iter().flat_map(|text| {
        let spot = |width: Width| {
            let bytes = width.write(text);
            Spot {
                anchor: Anchor::literal(&bytes),
                skip: 0,
                bytes,
                part: part.clone(),
                width,
            }
        };
        Width::WIDE.map(spot)
    });
    spots.collect()
}
