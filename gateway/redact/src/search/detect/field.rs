//! Passwords in fields of JSON, YAML, XML and the like: a name that ends in a word for a password, and a value.
//!
//! In memory only a quoted literal counts, since programs are text, too: V8 compiles functions late, from their source on the
//! heap. In files and logs a value without quotes counts to the line's end, a block of YAML, and an element of XML.

use std::ops::Range;

use gateway_core::Place;

use super::super::anchor::Anchor;
use super::super::bytes::ByteSet;
use super::VerifyIn;
use super::block;
use super::known::Text;
use super::text::{before, run, run_back};
use super::words::{is_secret, is_secret_part};

const NAME_MAX: usize = 64;
const VALUE_MAX: usize = 1024;
/// Attributes of an element, or what stands between `name` and `value`.
const BETWEEN: usize = 96;
/// The words of its values are counted apart from those of connection strings.
const WORDS: usize = 0;

pub(super) fn probes() -> Vec<(Anchor, VerifyIn)> {
    let words: [(&[u8], VerifyIn); 18] = [
        (b"assword", |text, at, place| value(text, at + 7, place)),
        (b"ASSWORD", |text, at, place| value(text, at + 7, place)),
        (b"asswd", |text, at, place| value(text, at + 5, place)),
        (b"ASSWD", |text, at, place| value(text, at + 5, place)),
        (b"assphrase", |text, at, place| value(text, at + 9, place)),
        (b"ASSPHRASE", |text, at, place| value(text, at + 9, place)),
        (b"assPhrase", |text, at, place| value(text, at + 9, place)),
        (b"ecret", |text, at, place| value(text, at + 5, place)),
        (b"SECRET", |text, at, place| value(text, at + 6, place)),
        (b"api_key", |text, at, place| value(text, at + 7, place)),
        (b"API_KEY", |text, at, place| value(text, at + 7, place)),
        (b"api-key", |text, at, place| value(text, at + 7, place)),
        (b"apiKey", |text, at, place| value(text, at + 6, place)),
        (b"access_token", |text, at, place| {
            value(text, at + 12, place)
        }),
        (b"accessToken", |text, at, place| {
            value(text, at + 11, place)
        }),
        (b"refresh_token", |text, at, place| {
            value(text, at + 13, place)
        }),
        (b"refreshToken", |text, at, place| {
            value(text, at + 12, place)
        }),
        (b"auth_token", |text, at, place| value(text, at + 10, place)),
    ];
    // The name ends there.
    let ends = ByteSet::of(*b"\"'\\:= >\n");
    let words = words.into_iter();
    words
        .map(|(word, verify)| (Anchor::literal(word).then(ends), verify))
        .collect()
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}

/// Whether values without quotes count.
fn has_lines(place: Place) -> bool {
    matches!(place, Place::Files | Place::Logs)
}

/// The value of the field whose name ends at `end`.
fn value(text: &Text<'_>, end: usize, place: Place) -> Option<Range<usize>> {
    assigned(text, end, place)
        .or_else(|| beside(text, end, place))
        .or_else(|| element(text, end, place))
}

/// The value that is assigned to the name.
fn assigned(text: &Text<'_>, end: usize, place: Place) -> Option<Range<usize>> {
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
    let equals = text.get(sign) == Some(&b'=');
    (has_lines(place) && begins_a_field(text, end)).then_some(())?;
    if !equals && start == after {
        return joined(text, end, start);
    }
    if !equals && let Some(lines) = block::scalar(text, start) {
        return Some(lines);
    }
    unquoted(text, start, equals)
}

/// The value of a pair whose name is a value itself: `"name":"DB_PASSWORD","value":"..."`, `<add key="password" value="..."/>`,
/// `- name: DB_PASSWORD` before `value: ...`.
fn beside(text: &Text<'_>, end: usize, place: Place) -> Option<Range<usize>> {
    const VALUE: &[u8] = b"value";
    let next = run(text, end, BETWEEN, |byte| {
        byte.is_ascii_whitespace() || is_quote(byte) || matches!(byte, b'\\' | b',')
    });
    let word = text.get(next..next + VALUE.len())?;
    (next > end && word.eq_ignore_ascii_case(VALUE)).then_some(())?;
    assigned(text, next + VALUE.len(), place)
}

/// The text of an element of XML whose name, or the last attribute of which, ends at `end`.
fn element(text: &Text<'_>, end: usize, place: Place) -> Option<Range<usize>> {
    const CDATA: &[u8] = b"<![CDATA[";
    has_lines(place).then_some(())?;
    let tag = text.run_back(end, 2 * BETWEEN, is_in_tag);
    let is_tag =
        before(text, tag) == Some(b'<') && text.get(tag).is_some_and(u8::is_ascii_alphabetic);
    let close = text.run(end, BETWEEN, is_in_tag);
    let is_empty = before(text, close) == Some(b'/');
    (is_tag && !is_empty && text.get(close) == Some(&b'>')).then_some(())?;
    let start = run(text, close + 1, BETWEEN, |byte| byte.is_ascii_whitespace());
    let is_cdata = text.get(start..)?.starts_with(CDATA);
    let start = if is_cdata { start + CDATA.len() } else { start };
    let end = run(text, start, VALUE_MAX, |byte| {
        byte >= b' ' && !matches!(byte, b'<' | b'>' | b']')
    });
    let value = text.get(start..end)?.trim_ascii_end();
    // The tag that closes it may stand in a line of its own. `<password>` alone is a placeholder in a manual.
    let behind = run(text, end, BETWEEN, |byte| byte.is_ascii_whitespace());
    let rest = text.get(behind..)?;
    let closed = rest.starts_with(b"</") || rest.starts_with(b"]]>");
    (closed && is_secret(value)).then_some(start..start + value.len())
}

fn is_in_tag(byte: u8) -> bool {
    byte >= b' ' && !matches!(byte, b'<' | b'>')
}

/// The literal whose quote, with as many backslashes before it as stand before its end, begins at `start`.
fn quoted(text: &Text<'_>, start: usize, quote: usize) -> Option<Range<usize>> {
    let closing = text.get(start..=quote)?;
    let first = quote + 1;
    let limit = text.len().min(first + VALUE_MAX);
    let rest = text.get(first..limit)?;
    let line = text.run(first, VALUE_MAX, is_line) - first;
    let mut ends = memchr::memmem::find_iter(rest.get(..line)?, closing);
    // One more backslash makes it a quote within the value.
    let length = ends.find(|&length| before(text, first + length) != Some(b'\\'))?;
    let value = rest.get(..length)?;
    is_secret(value).then_some(first..first + length)
}

/// Whether the name that ends at `end` begins a line, or stands behind a space or separator.
fn begins_a_field(text: &Text<'_>, end: usize) -> bool {
    let start = run_back(text, end, NAME_MAX, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
    });
    before(text, start).is_none_or(|byte| byte.is_ascii_whitespace() || b"\"',;{&?".contains(&byte))
}

/// The word right behind a colon, of a field that has its line for itself: `passwd:amd64` within a line is a package.
fn joined(text: &Text<'_>, end: usize, start: usize) -> Option<Range<usize>> {
    let name = run_back(text, end, NAME_MAX, |byte| {
        byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
    });
    let line = run_back(text, name, BETWEEN, |byte| {
        matches!(byte, b' ' | b'\t' | b'"' | b'\'')
    });
    let begins = before(text, line).is_none_or(|byte| matches!(byte, b'\n' | b'{' | b','));
    let value = unquoted(text, start, false)?;
    let word = text.get(value.clone())?;
    (begins && !word.iter().any(u8::is_ascii_whitespace)).then_some(value)
}

fn is_line(byte: u8) -> bool {
    byte >= b' ' && byte != 0x7f
}

/// Behind `=` the value ends at a space, too: more assignments may follow.
fn unquoted(text: &Text<'_>, start: usize, equals: bool) -> Option<Range<usize>> {
    let end = if equals {
        text.run(start, VALUE_MAX, |byte| {
            is_line(byte) && !matches!(byte, b' ' | b'&' | b';')
        })
    } else {
        text.run(start, VALUE_MAX, is_line)
    };
    let line = text.get(start..end)?;
    let comment = memchr::memmem::find(line, b" #").unwrap_or(line.len());
    let value = line.get(..comment)?.trim_ascii_end();
    let ends = value.last().is_some_and(|last| b";,".contains(last));
    let begins = value.first().is_some_and(|first| b"#:&".contains(first));
    // Calls, types, indices and markup.
    let no_code = |byte| !b"()[]<>`".contains(&byte);
    let end = start + value.len();
    let code = ends || begins || text.run(start, value.len(), no_code) < end;
    (!code && is_secret_part(text, start..end, WORDS)).then_some(start..end)
}
