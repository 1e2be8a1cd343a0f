//! Private keys in other wrappings than PEM: PEM in base64 as in kubeconfig files, the files of `PuTTY`, and identities of age.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::super::anchor::Anchor;
use super::Probe;
use super::known::Text;
use super::text::{is_base64, run};
use super::token::{LONG, Token, token};

/// `-----BEGIN ` in base64, as far as it does not depend on what follows.
const BEGIN: &[u8] = b"LS0tLS1CRUdJTi";
/// The part of an armour's first line that is decoded.
const FIRST: usize = 64;
const LABEL: &[u8] = b"PRIVATE KEY";
const KEY_MAX: usize = 1 << 15;
const KEY_MIN: usize = 64;
const LINES: &[u8] = b"Private-Lines: ";
const LINE: usize = 64;
const LINES_MAX: usize = 512;

/// age, "The age file format", identities: Bech32 in capitals, also of post-quantum keys.
pub(super) const TOKENS: [Token; 2] = [
    token("age", "AGE-SECRET-KEY-1", is_bech32, (58, LONG))
        .from("age, 'The age file format', identities")
        .with_checksum("Bech32, the last 6"),
    token(
        "age, post-quantum",
        "AGE-SECRET-KEY-PQ-1",
        is_bech32,
        (58, LONG),
    )
    .from("age, 'The age file format', identities")
    .with_checksum("Bech32, the last 6"),
];

const fn is_bech32(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

pub(super) fn probes() -> Vec<Probe> {
    vec![
        (Anchor::literal(BEGIN), encoded),
        (Anchor::literal(LINES), putty),
    ]
}

/// The rest of a PEM file in base64, if its label says that a private key follows. A certificate before it in the same text is
/// hidden, too: where the key begins depends on it.
fn encoded(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let end = text.run(at, KEY_MAX, is_base64);
    let whole = end - (end - at) % 4;
    let first = text.get(at..whole.min(at + FIRST))?;
    let label = STANDARD.decode(first).ok()?;
    let is_key = memmem::find(&label, LABEL).is_some();
    let padded = run(text, end, 2, |byte| byte == b'=');
    (is_key && end - at >= KEY_MIN).then_some(at + BEGIN.len()..padded)
}

/// `PuTTY`, "PPK file format": the private part in base64, in as many lines as its first line says.
fn putty(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let number = at + LINES.len();
    let digits = text.get(number..run(text, number, 3, |byte| byte.is_ascii_digit()))?;
    let lines: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let start = run(text, number + digits.len(), 4, is_break);
    let longest = lines.min(LINES_MAX) * (LINE + 4);
    let end = run(text, start, longest, |byte| {
        is_base64(byte) || is_break(byte) || byte == b'='
    });
    let end = match memmem::find(text.get(start..end)?, b"Private") {
        Some(length) => start + length,
        None => end,
    };
    let end = end - trailing(text.get(start..end)?);
    (end >= start + 16).then_some(start..end)
}

/// A line break, also as an escape.
fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | b'\\')
}

fn trailing(text: &[u8]) -> usize {
    let breaks = text.iter().rev();
    breaks.take_while(|&&byte| is_break(byte)).count()
}
