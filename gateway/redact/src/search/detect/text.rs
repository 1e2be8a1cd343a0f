//! Helpers for detectors that read text.

use std::ops::Range;

use super::super::bytes::ByteSet;

pub(super) fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

pub(super) fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// The set of bytes that satisfy `is`.
pub(super) fn set(is: impl Fn(u8) -> bool) -> ByteSet {
    ByteSet::of((0..=u8::MAX).filter(|&byte| is(byte)))
}

/// The end of the run of bytes that satisfy `is` from `at` on; at most `most` bytes.
pub(super) fn run(text: &[u8], at: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
    at + text
        .iter()
        .skip(at)
        .take(most)
        .take_while(|&&byte| is(byte))
        .count()
}

/// The beginning of the run of bytes that satisfy `is` before `at`; at most `most` bytes.
pub(super) fn run_back(text: &[u8], at: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
    let before = text.get(..at).unwrap_or_default();
    at - before
        .iter()
        .rev()
        .take(most)
        .take_while(|&&byte| is(byte))
        .count()
}

/// The byte before `at`.
pub(super) fn before(text: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1).and_then(|at| text.get(at)).copied()
}

/// The token from `start` whose `body` satisfies `is` and has one of `lengths`, if no such byte stands on either side.
pub(super) fn token(
    text: &[u8],
    start: usize,
    body: usize,
    lengths: Range<usize>,
    is: impl Fn(u8) -> bool,
) -> Option<Range<usize>> {
    if before(text, start).is_some_and(&is) {
        return None;
    }
    let end = run(text, body, lengths.end, &is);
    lengths.contains(&(end - body)).then_some(start..end)
}

/// The beginning of the value that is assigned to the name which ends at `at`: behind quotes, spaces, and one or two of `=`,
/// `:`, `>`, as JSON, YAML, shells, property files and XML write it.
pub(super) fn assigned(text: &[u8], at: usize) -> Option<usize> {
    let quote = |byte: u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'`');
    let sign = run(text, at, 8, quote);
    let after = run(text, sign, 2, |byte| matches!(byte, b'=' | b':' | b'>'));
    (after > sign).then(|| run(text, after, 8, quote))
}

/// Whether it looks random: capitals, small letters and digits.
pub(super) fn is_mixed(secret: &[u8]) -> bool {
    secret.iter().any(u8::is_ascii_uppercase)
        && secret.iter().any(u8::is_ascii_lowercase)
        && secret.iter().any(u8::is_ascii_digit)
}
