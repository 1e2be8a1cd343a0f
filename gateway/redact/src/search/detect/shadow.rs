//! Password hashes in `/etc/shadow` (shadow(5), crypt(5)): `name:$id$...:lastchanged:min:...`.

use std::ops::Range;

use super::super::anchor::Anchor;
use super::super::bytes::ByteSet;
use super::Probe;
use super::known::Text;
use super::text::{before, run, run_back, set};

const NAME_MAX: usize = 32;
const HASH: Range<usize> = 20..384;

pub(super) fn probes() -> Vec<Probe> {
    let id = ByteSet::of(*b"12567yg");
    let open = Anchor::literal(b"")
        .then(set(is_name))
        .then_literal(b":$")
        .then(id);
    let locked = Anchor::literal(b":!$").then(id);
    vec![(open, |text, at| hash(text, at + 1)), (locked, hash)]
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

/// `at` is the colon after the name.
fn hash(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let name = run_back(text, at, NAME_MAX, is_name);
    let line =
        before(text, name).is_none_or(|byte| matches!(byte, b'\n' | b'\r' | 0) || !byte.is_ascii());
    let start = run(text, at + 1, 2, |byte| byte == b'!');
    let end = run(text, start, HASH.end, |byte| {
        byte.is_ascii_alphanumeric() || b"./$=,-_+".contains(&byte)
    });
    let hash = text.get(start..end)?;
    let parts = hash.split(|&byte| byte == b'$').count();
    let is_one = line && name < at && HASH.contains(&hash.len()) && parts > 3;
    (is_one && has_days(text, end)).then_some(start..end)
}

/// Two fields of digits, or empty ones, follow.
fn has_days(text: &[u8], at: usize) -> bool {
    let field = |at: usize| {
        (text.get(at) == Some(&b':')).then(|| run(text, at + 1, 8, |byte| byte.is_ascii_digit()))
    };
    field(at)
        .and_then(field)
        .is_some_and(|end| text.get(end) == Some(&b':'))
}
