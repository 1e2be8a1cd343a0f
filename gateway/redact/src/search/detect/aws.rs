//! Access keys and session tokens of AWS ("IAM identifiers" and "Managing access keys" in the IAM user guide).

use std::ops::Range;

use super::super::anchor::Anchor;
use super::Probe;
use super::known::Text;
use super::text::{assigned, before, is_alphanumeric, is_base64, is_mixed, run, set, token};

const ID: usize = 20;
const SECRET: usize = 40;
const SESSION: Range<usize> = 100..2049;

pub(super) fn probes() -> Vec<Probe> {
    let ids = [b"AKIA", b"ASIA"].map(|id| {
        (
            Anchor::literal(id).then(set(is_id)),
            self::id as super::Verify,
        )
    });
    let secrets: [&[u8]; 6] = [
        b"ecret_access_key",
        b"ECRET_ACCESS_KEY",
        b"ecretAccessKey",
        b"ecret-access-key",
        b"aws_secret_key",
        b"AWS_SECRET_KEY",
    ];
    let sessions: [&[u8]; 4] = [
        b"aws_session_token",
        b"AWS_SESSION_TOKEN",
        b"sessionToken\"",
        b"SessionToken\"",
    ];
    let secrets = secrets.map(|name| (Anchor::literal(name), secret as super::Verify));
    let sessions = sessions.map(|name| (Anchor::literal(name), session as super::Verify));
    ids.into_iter().chain(secrets).chain(sessions).collect()
}

fn is_id(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'2'..=b'7')
}

fn id(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let body = text.get(at..at + ID)?;
    let alone = !before(text, at).is_some_and(is_alphanumeric)
        && !text
            .get(at + ID)
            .copied()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (alone && body.iter().all(|&byte| is_id(byte))).then_some(at..at + ID)
}

fn value(text: &[u8], at: usize) -> Option<usize> {
    assigned(
        text,
        run(text, at, 32, |byte| {
            byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-')
        }),
    )
}

fn secret(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let start = value(text, at)?;
    let found = token(text, start, start, SECRET..SECRET + 1, is_base64)?;
    is_mixed(text.get(found.clone())?).then_some(found)
}

fn session(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let start = value(text, at)?;
    let end = run(text, start, SESSION.end, is_base64);
    let padded = run(text, end, 2, |byte| byte == b'=');
    SESSION.contains(&(padded - start)).then_some(start..padded)
}
