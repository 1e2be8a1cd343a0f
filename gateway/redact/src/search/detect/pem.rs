//! Private keys in PEM armour (RFC 7468, RFC 1421, OpenSSH's PROTOCOL.key, RFC 9580), also where their lines are joined
//! by `\n` as in JSON.

use std::ops::Range;

use memchr::memmem;

use super::super::anchor::Anchor;
use super::Probe;
use super::known::Text;
use super::text::{is_base64, run, run_back};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const LABEL: &[u8] = b"PRIVATE KEY";
/// A key of 16384 bits has about 13 KiB.
const BODY_MAX: usize = 1 << 14;
const BODY_MIN: usize = 24;

pub(super) fn probes() -> Vec<Probe> {
    vec![(Anchor::literal(LABEL), key)]
}

fn key(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let label = run_back(text, at, 24, |byte| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' '
    });
    // The run back has passed the letters of the armour's `BEGIN`, which stands before the label.
    let begin = label.checked_sub(5)?;
    text.get(begin..)?.starts_with(BEGIN).then_some(())?;
    let rest = text.get(at + LABEL.len()..)?;
    let block = if rest.starts_with(b" BLOCK") { 6 } else { 0 };
    rest.get(block..)?.starts_with(DASHES).then_some(())?;
    body(text, at + LABEL.len() + block + DASHES.len())
}

/// The part to mask of a key whose armour's first line ends at `start`: everything up to its last line or, if that is missing
/// as in a reused buffer, everything that looks like a key's body.
pub(super) fn body(text: &[u8], start: usize) -> Option<Range<usize>> {
    let rest = text.get(start..text.len().min(start + BODY_MAX))?;
    // The next dashes, not the next end: a text full of beginnings would be read over and over.
    let whole = memmem::find(rest, DASHES)
        .filter(|&length| rest.get(length..).is_some_and(|last| last.starts_with(END)))
        .filter(|&length| rest.get(..length).is_some_and(is_text));
    let end = whole.map_or_else(
        || run(text, start, BODY_MAX, is_body),
        |length| start + length,
    );
    let first = after_breaks(text, start);
    let last = before_breaks(text, end);
    (first + BODY_MIN <= last).then_some(first..last)
}

/// The position after line breaks, as they are or quoted as `\n` with any number of backslashes.
fn after_breaks(text: &[u8], at: usize) -> usize {
    let mut at = at;
    loop {
        at = run(text, at, 4, |byte| byte.is_ascii_whitespace());
        let quoted = run(text, at, 8, |byte| byte == b'\\');
        let is_break = quoted > at && matches!(text.get(quoted), Some(b'n' | b'r'));
        if !is_break {
            return at;
        }
        at = quoted + 1;
    }
}

fn before_breaks(text: &[u8], at: usize) -> usize {
    let mut at = at;
    loop {
        at = run_back(text, at, 4, |byte| byte.is_ascii_whitespace());
        let letter = run_back(text, at, 1, |byte| matches!(byte, b'n' | b'r'));
        let quoted = run_back(text, letter, 8, |byte| byte == b'\\');
        if letter == at || quoted == letter {
            return at;
        }
        at = quoted;
    }
}

fn is_text(body: &[u8]) -> bool {
    body.iter()
        .all(|&byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

fn is_body(byte: u8) -> bool {
    is_base64(byte) || byte.is_ascii_whitespace() || matches!(byte, b'=' | b'\\')
}
