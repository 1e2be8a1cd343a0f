//! Passwords and tokens in URLs (RFC 3986, 3.2.1: `user:password@host`), also where they have characters that should have been
//! encoded: `@`, `#`, `/`, quotes and spaces.

use std::ops::Range;

use super::super::anchor::Anchor;
use super::Probe;
use super::known::{Class, Text};
use super::text::{before, run, run_back, set};
use super::token::is_varied;
use super::words::is_words;

const USER_MAX: usize = 1024;
const PASSWORD_MAX: usize = 4096;
/// A user that is longer and looks random is a token.
const TOKEN_MIN: usize = 16;
/// Passwords with spaces are no longer than this, so that text is not taken for one.
const SPACED_MAX: usize = 96;
const SPACES_MAX: usize = 3;
/// Places of hosts that are remembered.
const HOSTS_MAX: usize = 16;
/// Schemes in whose paths an `@` is usual.
const WEB: [&[u8]; 8] = [
    b"http",
    b"https",
    b"ws",
    b"wss",
    b"git",
    b"file",
    b"urn",
    b"git+https",
];

pub(super) fn probes() -> Vec<Probe> {
    let scheme = set(is_scheme);
    let first = set(|byte| is_user(byte) || byte == b':');
    vec![(
        Anchor::literal(b"")
            .then(scheme)
            .then_literal(b"://")
            .then(first),
        credential,
    )]
}

fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// RFC 3986's characters, and some more that people do not encode.
fn is_user(byte: u8) -> bool {
    is_strict(byte)
        && !matches!(
            byte,
            b':' | b'{' | b'}' | b'|' | b'^' | b'[' | b']' | b'(' | b')'
        )
}

/// What may stand in a password without ending the part before the host.
fn is_strict(byte: u8) -> bool {
    is_loose(byte) && !matches!(byte, b'/' | b'@' | b'?' | b'#' | b'\'' | b'\\')
}

/// What may stand in a password that nobody has encoded.
fn is_loose(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'`')
}

/// A URL around its `://`.
struct Url<'t> {
    text: &'t Text<'t>,
    /// Whether its scheme is one of the web's.
    web: bool,
    /// A single quote stands before it, and so ends it.
    quoted: bool,
}

/// `at` is the last letter of the scheme.
fn credential(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let scheme = run_back(text, at + 1, 32, is_scheme);
    let name = text.get(scheme..=at)?;
    let url = Url {
        text,
        web: WEB.iter().any(|web| name.eq_ignore_ascii_case(web)),
        quoted: before(text, scheme) == Some(b'\''),
    };
    let user = at + b"x://".len();
    let end = text.run(user, USER_MAX, is_user);
    match text.get(end)? {
        b':' => url.password(end + 1),
        b'@' => url.token(user, end),
        _ => None,
    }
}

impl Url<'_> {
    /// A user without a password that is a token: `https://TOKEN@host`.
    fn token(&self, start: usize, end: usize) -> Option<Range<usize>> {
        let user = self.text.get(start..end)?;
        let digits = user.iter().filter(|byte| byte.is_ascii_digit()).count();
        let random = digits >= 2 || !is_words(user);
        let random = user.len() >= TOKEN_MIN && is_varied(user) && random;
        (random && !user.contains(&b'.') && self.is_host(end + 1)).then_some(start..end)
    }

    /// The password that begins at `start`.
    fn password(&self, start: usize) -> Option<Range<usize>> {
        let end = self.strict_end(start).or_else(|| self.loose_end(start))?;
        let password = self.text.get(start..end)?;
        (!password.is_empty() && !is_placeholder(password)).then_some(start..end)
    }

    fn is_password(&self, byte: u8) -> bool {
        is_strict(byte) || (byte == b'\'' && !self.quoted)
    }

    /// The `@` before the host of a URL that is written as it should be, or with more of `@` and quotes only.
    fn strict_end(&self, start: usize) -> Option<usize> {
        let next = self.step(start);
        (self.text.get(next) == Some(&b'@')).then_some(())?;
        (next > start && before(self.text, next) != Some(b':')).then_some(())?;
        let mut end = self.is_host(next + 1).then_some(next);
        let mut at = next;
        while self.text.get(at) == Some(&b'@') && at - start < PASSWORD_MAX {
            end = self.is_host(at + 1).then_some(at).or(end);
            at = self.step(at + 1);
        }
        // A path follows, in which a database's URL has no `@`.
        if self.web {
            return end;
        }
        let class: Class = if self.quoted {
            |byte| is_loose(byte) && !matches!(byte, b'?' | b'\'')
        } else {
            |byte| is_loose(byte) && byte != b'?'
        };
        let path = self.text.run(at, PASSWORD_MAX, class);
        self.last_host(at, path).or(end)
    }

    /// The end of the password's characters from `at` on; an escape of JSON counts as one.
    fn step(&self, at: usize) -> usize {
        let mut at = at;
        loop {
            at = run(self.text, at, PASSWORD_MAX, |byte| self.is_password(byte));
            match self.text.get(at..at + 3) {
                Some([b'\\', b'u', b'0']) => at += 3,
                _ => return at,
            }
        }
    }

    /// The last `@` of a part of the text behind which a host stands.
    fn last_host(&self, start: usize, end: usize) -> Option<usize> {
        let part = self.text.get(start..end)?;
        memchr::memrchr_iter(b'@', part)
            .take(8)
            .map(|length| start + length)
            .find(|&at| self.is_host(at + 1) && before(self.text, at) != Some(b'/'))
    }

    /// The `@` before the host where the password has a raw `/`, `#`, `?`, backslash or space. A port is no password.
    fn loose_end(&self, start: usize) -> Option<usize> {
        let port = run(self.text, start, 6, |byte| byte.is_ascii_digit());
        let first = *self.text.get(start)?;
        let is_port = matches!(
            self.text.get(port),
            None | Some(b'/' | b'?' | b'#' | b',' | b' ' | b'\'' | b'\\')
        );
        (!is_port && !matches!(first, b' ' | b'/' | b'*')).then_some(())?;
        // The next URL has a password of its own: bytes are read for one URL only.
        let rest = self.text.get(start..)?;
        let window = rest.get(..PASSWORD_MAX).unwrap_or(rest);
        let most = memchr::memmem::find(window, b"://").unwrap_or(PASSWORD_MAX);
        let end = run(self.text, start, most, |byte| {
            is_loose(byte) && (byte != b'\'' || !self.quoted)
        });
        let solid = self.text.get(start..end)?;
        let found = memchr::memchr_iter(b'@', solid)
            .take(8)
            .map(|length| start + length);
        let mut hosts = found.filter(|&at| self.is_host(at + 1));
        let last = if self.web { hosts.next() } else { hosts.last() };
        last.or_else(|| self.spaced_end(start))
    }

    /// Up to three single spaces, in URLs of databases and the like.
    fn spaced_end(&self, start: usize) -> Option<usize> {
        (!self.web).then_some(())?;
        let end = run(self.text, start, SPACED_MAX, |byte| {
            (is_loose(byte) || byte == b' ') && (byte != b'\'' || !self.quoted)
        });
        let length = memchr::memchr(b'@', self.text.get(start..end)?)?;
        let password = self.text.get(start..start + length)?;
        let spaces = memchr::memchr_iter(b' ', password).count();
        let single = memchr::memmem::find(password, b"  ").is_none();
        let varied = is_varied(password) || password.iter().any(u8::is_ascii_digit);
        (spaces <= SPACES_MAX && single && varied && self.is_host(start + length + 1))
            .then_some(start + length)
    }

    /// Whether a host may begin at `at`. Many URLs may have their last `@` in the same places.
    fn is_host(&self, at: usize) -> bool {
        let position = self.text.base + at;
        let mut known = self.text.known.hosts.borrow_mut();
        if let Some((_, is_one)) = known.iter().find(|(host, _)| *host == position) {
            return *is_one;
        }
        let is_one = self.has_host(at);
        known.truncate(HOSTS_MAX - 1);
        known.push_front((position, is_one));
        is_one
    }

    fn has_host(&self, at: usize) -> bool {
        let first = self.text.get(at);
        let begins =
            first.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"[_%$".contains(byte));
        let end = run(self.text, at, 256, |byte| {
            byte.is_ascii_alphanumeric() || b"[_%$.-]{}:~,()+!=*;".contains(&byte)
        });
        let next = self.text.get(end);
        begins
            && next.is_none_or(|byte| {
                !byte.is_ascii_graphic()
                    || matches!(
                        byte,
                        b'/' | b'?'
                            | b'#'
                            | b'"'
                            | b'\''
                            | b'\\'
                            | b'<'
                            | b'>'
                            | b'`'
                            | b'@'
                            | b'&'
                            | b'|'
                    )
            })
    }
}

/// Whether it only stands for a password.
fn is_placeholder(password: &[u8]) -> bool {
    let one = password
        .first()
        .is_none_or(|first| password.iter().all(|byte| byte == first));
    let template = [&b"$"[..], b"%s", b"%v", b"%d", b"{"]
        .iter()
        .any(|start| password.starts_with(start));
    let words: [&[u8]; 4] = [b"password", b"passwd", b"pass", b"redacted"];
    one || template || words.iter().any(|word| password.eq_ignore_ascii_case(word))
}
