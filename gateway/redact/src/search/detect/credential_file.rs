//! Credentials in the files of well-known programs: Docker's and npm's configuration, netrc, pgpass, htpasswd.

use std::ops::Range;

use super::super::anchor::Anchor;
use super::super::bytes::ByteSet;
use super::Probe;
use super::header::pair;
use super::known::Text;
use super::text::{assigned, before, is_base64, run, run_back};
use super::token::is_varied_part;
use super::words::is_placeholder;

const NAME_MAX: usize = 64;
const VALUE_MAX: usize = 512;
const HASH_MIN: usize = 20;

pub(super) fn probes() -> Vec<Probe> {
    let quote = ByteSet::of(*b"\"\\");
    let kinds = ByteSet::of(*b"abxy");
    let mut probes: Vec<Probe> = vec![
        (Anchor::literal(b"\"auth").then(quote), docker),
        (Anchor::literal(b"_authToken="), |text, at| {
            npm(text, at + 11)
        }),
        (Anchor::literal(b"_auth="), |text, at| pair(text, at + 6)),
        (Anchor::literal(b"machine "), netrc),
        (Anchor::literal(b":5432:"), |text, at| pgpass(text, at)),
        (Anchor::literal(b":*:*:"), |text, at| pgpass(text, at)),
    ];
    let hash = Anchor::literal(b":$2").then(kinds).then_literal(b"$");
    probes.push((hash, htpasswd));
    probes.push((Anchor::literal(b":$apr1$"), htpasswd));
    probes.push((Anchor::literal(b":{SHA}"), htpasswd));
    probes
}

/// Docker, "docker login", credential stores: `"auth": "<base64 of user:password>"`.
fn docker(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    pair(text, assigned(text, at + b"\"auth".len())?)
}

/// npm, "npmrc".
fn npm(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let start = run(text, at, 1, |byte| byte == b'"');
    let end = text.run(start, VALUE_MAX, |byte| {
        is_base64(byte) || matches!(byte, b'-' | b'_' | b'.' | b'=')
    });
    (end - start >= 16 && is_varied_part(text, start..end)).then_some(start..end)
}

/// GNU inetutils, "The .netrc file": `machine M login L password P`, in one line or several.
fn netrc(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let mut at = at;
    for key in [&b"machine"[..], b"login", b"password"] {
        text.get(at..)?.starts_with(key).then_some(())?;
        let start = run(text, at + key.len(), 8, |byte| byte.is_ascii_whitespace());
        let end = run(text, start, VALUE_MAX, |byte| byte.is_ascii_graphic());
        (start > at + key.len() && end > start).then_some(())?;
        if key == b"password" {
            return (!is_placeholder(text.get(start..end)?)).then_some(start..end);
        }
        at = run(text, end, 8, |byte| byte.is_ascii_whitespace());
    }
    None
}

/// `PostgreSQL`, "The password file": `host:port:database:user:password`.
fn pgpass(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let line = text.run_back(at, 256, |byte| byte.is_ascii_graphic());
    let mut known = text.known.line.borrow_mut();
    // The whole line was read at the first of its anchors.
    let whole = match known.take() {
        Some((start, whole)) if start == text.base + line => whole,
        _ => in_line(text, line).map(|found| text.base + found.start..text.base + found.end),
    };
    *known = Some((text.base + line, whole.clone()));
    whole.map(|found| found.start.saturating_sub(text.base)..found.end - text.base)
}

/// The password in the line that begins at `line`.
fn in_line(text: &[u8], line: usize) -> Option<Range<usize>> {
    before(text, line)
        .is_none_or(|byte| matches!(byte, b'\n' | 0))
        .then_some(())?;
    let mut start = line;
    for _ in 0..4 {
        let end = run(text, start, NAME_MAX, |byte| {
            byte.is_ascii_graphic() && byte != b':'
        });
        (end > start && text.get(end) == Some(&b':')).then_some(())?;
        start = end + 1;
    }
    let end = run(text, start, VALUE_MAX, |byte| byte >= b' ' && byte != 0x7f);
    let value = text.get(start..end)?;
    // Ports and addresses of listings, as in `tcp:0:5432:...`, have no letters there.
    let letters = value.iter().any(u8::is_ascii_alphabetic) && value.len() >= 4;
    (letters && !is_placeholder(value)).then_some(start..end)
}

/// Apache, "Password formats": `user:hash` on a line of its own.
fn htpasswd(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let name = run_back(text, at, NAME_MAX, |byte| {
        byte.is_ascii_graphic() && byte != b':'
    });
    let line = before(text, name).is_none_or(|byte| matches!(byte, b'\n' | b'\r' | 0));
    let start = at + 1;
    let end = run(text, start, VALUE_MAX, |byte| {
        is_base64(byte) || matches!(byte, b'$' | b'.' | b'=' | b'{' | b'}')
    });
    let whole = text
        .get(end)
        .is_none_or(|byte| matches!(byte, b'\n' | b'\r' | 0));
    (line && name < at && whole && end - start >= HASH_MIN).then_some(start..end)
}
