//! Tokens and webhooks of Slack ("Tokens" and "Sending messages using incoming webhooks" in its API documentation).

use std::ops::Range;

use super::super::anchor::Anchor;
use super::super::bytes::ByteSet;
use super::Probe;
use super::known::Text;
use super::text::{is_alphanumeric, run, token};

const TOKEN: Range<usize> = 24..256;
const HOOK: &[u8] = b"hooks.slack.com/services/";

pub(super) fn probes() -> Vec<Probe> {
    let kinds = ByteSet::of(*b"abcdeoprs");
    let separator = ByteSet::of(*b"-.");
    vec![
        (
            Anchor::literal(b"xox").then(kinds).then(separator),
            token_at,
        ),
        (Anchor::literal(b"xapp-"), token_at),
        (Anchor::literal(HOOK), webhook),
    ]
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'%')
}

/// `xoxb-`, `xapp-`, or `xoxe.xoxb-`, which is found by its second half.
fn token_at(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    (text.get(at + 4) == Some(&b'-')).then_some(())?;
    let found = token(text, at, at + 5, TOKEN, is_token)?;
    let digits = text
        .get(found.clone())?
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .count();
    (digits >= 6).then_some(found)
}

/// Three parts: workspace, app, secret.
fn webhook(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let workspace = at + HOOK.len();
    let app = part(text, workspace, b'T')?;
    let secret = part(text, app, b'B')?;
    let end = run(text, secret, 64, is_alphanumeric);
    (end - secret >= 20).then_some(secret..end)
}

/// The beginning of the part after this one.
fn part(text: &[u8], at: usize, kind: u8) -> Option<usize> {
    let end = run(text, at, 24, is_alphanumeric);
    (text.get(at) == Some(&kind) && end - at >= 8 && text.get(end) == Some(&b'/'))
        .then_some(end + 1)
}
