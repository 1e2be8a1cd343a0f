//! Tokens of GitHub ("About authentication to GitHub", token formats): personal, OAuth, user-to-server, server-to-server,
//! refresh, and fine-grained personal ones.

use std::ops::Range;

use super::super::anchor::Anchor;
use super::super::bytes::ByteSet;
use super::Probe;
use super::known::Text;
use super::text::{is_alphanumeric, set, token};

const CLASSIC: Range<usize> = 36..256;
const FINE: Range<usize> = 82..83;

pub(super) fn probes() -> Vec<Probe> {
    let kinds = ByteSet::of(*b"pousr");
    let classic = Anchor::literal(b"gh")
        .then(kinds)
        .then_literal(b"_")
        .then(set(is_alphanumeric));
    vec![
        (classic, self::classic),
        (Anchor::literal(b"github_pat_"), fine),
    ]
}

fn classic(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    token(text, at, at + 4, CLASSIC, is_alphanumeric)
}

fn fine(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    token(text, at, at + 11, FINE, |byte| {
        byte.is_ascii_alphanumeric() || byte == b'_'
    })
}
