//! Passwords in URLs (RFC 3986, 3.2.1: `user:password@host`).

use std::ops::Range;

use super::super::anchor::Anchor;
use super::Probe;
use super::text::{before, run, set};

const USER_MAX: usize = 256;
const PASSWORD_MAX: usize = 512;

pub(super) fn probes() -> Vec<Probe> {
    let scheme = set(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let first = set(|byte| is_user(byte) || byte == b':');
    vec![(
        Anchor::literal(b"")
            .then(scheme)
            .then_literal(b"://")
            .then(first),
        password,
    )]
}

/// RFC 3986's characters, and some more that people do not encode.
fn is_user(byte: u8) -> bool {
    is_password(byte)
        && !matches!(
            byte,
            b':' | b'{' | b'}' | b'|' | b'^' | b'[' | b']' | b'(' | b')'
        )
}

fn is_password(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'/' | b'@' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`'
        )
}

fn password(text: &[u8], at: usize) -> Option<Range<usize>> {
    let user = at + b"x://".len();
    let start = run(text, user, USER_MAX, is_user);
    (text.get(start) == Some(&b':')).then_some(())?;
    let start = start + 1;
    let end = run(text, start, PASSWORD_MAX, is_password);
    let host = text
        .get(end + 1)
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"[_%$".contains(byte));
    let is_one =
        text.get(end) == Some(&b'@') && host && before(text, end).is_some_and(|byte| byte != b':');
    (is_one && !is_placeholder(text.get(start..end)?)).then_some(start..end)
}

/// Whether it only stands for a password.
fn is_placeholder(password: &[u8]) -> bool {
    let one = password
        .first()
        .is_none_or(|first| password.iter().all(|byte| byte == first));
    let template = [&b"$"[..], b"%s", b"%v", b"%d", b"{"]
        .iter()
        .any(|start| password.starts_with(start));
    one || template || password == b"password" || password == b"redacted" || password == b"REDACTED"
}
