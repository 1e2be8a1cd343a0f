//! Passwords in fields of JSON, YAML and the like: a name that ends in a word for a password, and a value.
//!
//! In memory only a quoted literal counts, since programs are text, too: V8 compiles functions late, from their source on the
//! heap. In files and logs a value without quotes counts to the line's end.

use std::ops::Range;

use gateway_core::Place;

use super::super::anchor::Anchor;
use super::super::bytes::ByteSet;
use super::VerifyIn;
use super::text::{before, run, run_back};
use super::words::is_secret;

const NAME_MAX: usize = 64;
const VALUE_MAX: usize = 1024;

pub(super) fn probes() -> Vec<(Anchor, VerifyIn)> {
    let words: [(&[u8], VerifyIn); 7] = [
        (b"assword", |text, at, place| value(text, at + 7, place)),
        (b"ASSWORD", |text, at, place| value(text, at + 7, place)),
        (b"asswd", |text, at, place| value(text, at + 5, place)),
        (b"assphrase", |text, at, place| value(text, at + 9, place)),
        (b"ASSPHRASE", |text, at, place| value(text, at + 9, place)),
        (b"ecret", |text, at, place| value(text, at + 5, place)),
        (b"SECRET", |text, at, place| value(text, at + 6, place)),
    ];
    // The name ends there.
    let ends = ByteSet::of(*b"\"'\\:= ");
    let words = words.into_iter();
    words
        .map(|(word, verify)| (Anchor::literal(word).then(ends), verify))
        .collect()
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}

/// The value of the field whose name ends at `end`.
fn value(text: &[u8], end: usize, place: Place) -> Option<Range<usize>> {
    let closed = run(text, end, 4, |byte| byte == b'\\' || is_quote(byte));
    let sign = run(text, closed, 4, |byte| byte == b' ');
    let after = run(text, sign, 2, |byte| matches!(byte, b'=' | b':' | b'>'));
    // A comparison.
    let compared = text.get(sign..after)? == b"==" || text.get(after) == Some(&b'=');
    let assigns = matches!(text.get(sign), Some(b'=' | b':'));
    (assigns && !compared).then_some(())?;
    let start = run(text, after, 8, |byte| matches!(byte, b' ' | b'\t'));
    let slashes = run(text, start, 8, |byte| byte == b'\\');
    if text.get(slashes).is_some_and(|&byte| is_quote(byte)) {
        return quoted(text, start, slashes);
    }
    let lines = matches!(place, Place::Files | Place::Logs);
    let equals = text.get(sign) == Some(&b'=');
    (lines && begins_a_field(text, end)).then_some(())?;
    unquoted(text, start, equals)
}

/// The literal whose quote, with as many backslashes before it as stand before its end, begins at `start`.
fn quoted(text: &[u8], start: usize, quote: usize) -> Option<Range<usize>> {
    let closing = text.get(start..=quote)?;
    let first = quote + 1;
    let limit = text.len().min(first + VALUE_MAX);
    let rest = text.get(first..limit)?;
    let line = run(text, first, VALUE_MAX, |byte| byte >= b' ' && byte != 0x7f) - first;
    let mut ends = memchr::memmem::find_iter(rest.get(..line)?, closing);
    // One more backslash makes it a quote within the value.
    let length = ends.find(|&length| before(text, first + length) != Some(b'\\'))?;
    let value = rest.get(..length)?;
    is_secret(value).then_some(first..first + length)
}

/// Whether the name that ends at `end` begins a line, or stands behind a space or separator.
fn begins_a_field(text: &[u8], end: usize) -> bool {
    let start = run_back(text, end, NAME_MAX, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
    });
    before(text, start).is_none_or(|byte| byte.is_ascii_whitespace() || b"\"',;{&?".contains(&byte))
}

/// Behind `=` the value ends at a space, too: more assignments may follow.
fn unquoted(text: &[u8], start: usize, equals: bool) -> Option<Range<usize>> {
    let end = run(text, start, VALUE_MAX, |byte| {
        byte >= b' ' && byte != 0x7f && !(equals && matches!(byte, b' ' | b'&' | b';'))
    });
    let line = text.get(start..end)?;
    let comment = memchr::memmem::find(line, b" #").unwrap_or(line.len());
    let value = line.get(..comment)?.trim_ascii_end();
    let ends = value.last().is_some_and(|last| b";,".contains(last));
    let begins = value.first().is_some_and(|first| b"#:&".contains(first));
    // Calls, types, indices and markup.
    let code = ends || begins || value.iter().any(|byte| b"()[]<>`".contains(byte));
    (!code && is_secret(value)).then_some(start..start + value.len())
}
