//! Passwords and keys in connection strings: JDBC, libpq, ADO and ODBC, Azure's and Redis' clients, Oracle's thin driver, and
//! Go's data source names. The other parts of the string decide whether it is one.
//!
//! In memory a value between spaces or commas must look like a secret, too: in programs it may be an argument of a call.

use std::ops::Range;

use gateway_core::Place;

use super::super::anchor::Anchor;
use super::VerifyIn;
use super::known::{Class, Parts, Text};
use super::text::{before, run_back};
use super::words::{is_placeholder, is_secret_part, is_words_part};

/// The part of the text around the password in which the other parts are looked for.
const AROUND: usize = 512;
const VALUE_MAX: usize = 512;
const VALUE_MIN: usize = 3;
/// The words of its values are counted apart from those of fields.
const WORDS: usize = 1;
const THIN: &[u8] = b":thin:";

/// Keys of the other parts, in small letters.
const PARTS: [&[u8]; 24] = [
    b"jdbc:",
    b"://",
    b"host=",
    b"hostaddr=",
    b"hostname=",
    b"dbname=",
    b"user=",
    b"username=",
    b"user id=",
    b"userid=",
    b"uid=",
    b"server=",
    b"data source=",
    b"initial catalog=",
    b"database=",
    b"address=",
    b"driver=",
    b"dsn=",
    b"accountname=",
    b"endpoint=",
    b"keyname=",
    b":6379",
    b",ssl=",
    b"abortconnect=",
];

pub(super) fn probes() -> Vec<(Anchor, VerifyIn)> {
    let words: [(&[u8], VerifyIn); 11] = [
        (b"assword=", |text, at, place| keyed(text, at + 8, place)),
        (b"ASSWORD=", |text, at, place| keyed(text, at + 8, place)),
        (b"Pwd=", |text, at, place| keyed(text, at + 4, place)),
        (b";pwd=", |text, at, place| keyed(text, at + 5, place)),
        (b";PWD=", |text, at, place| keyed(text, at + 5, place)),
        (b"AccountKey=", |text, at, place| {
            keyed(text, at + 11, place)
        }),
        (b"AccessKey=", |text, at, place| keyed(text, at + 10, place)),
        (b"accesskey=", |text, at, place| keyed(text, at + 10, place)),
        (THIN, |text, at, _| thin(text, at)),
        (b"@tcp(", |text, at, _| go(text, at)),
        (b"@unix(", |text, at, _| go(text, at)),
    ];
    words
        .map(|(word, verify)| (Anchor::literal(word), verify))
        .into()
}

fn is_line(byte: u8) -> bool {
    byte >= b' ' && byte != 0x7f
}

/// The value that begins at `start`, behind its key.
fn keyed(text: &Text<'_>, start: usize, place: Place) -> Option<Range<usize>> {
    let key = run_back(text, start, 32, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'=' | b'.')
    });
    let separator = before(text, key);
    let quoted = matches!(text.get(start), Some(b'\'' | b'"'));
    let (start, end) = match text.get(start)? {
        quote @ (b'\'' | b'"') => {
            let class = match quote {
                b'"' => |byte| is_line(byte) && byte != b'"',
                _ => |byte| is_line(byte) && byte != b'\'',
            };
            (start + 1, text.run(start + 1, VALUE_MAX, class))
        }
        b'{' if separator == Some(b';') => {
            let class = |byte| is_line(byte) && byte != b'}';
            (start + 1, text.run(start + 1, VALUE_MAX, class))
        }
        _ => (start, text.run(start, VALUE_MAX, goes_on(separator))),
    };
    is_connection(text, key, end).then_some(())?;
    let value = text.get(start..end)?;
    let words = || is_words_part(text, start..end, WORDS);
    // An argument of a call, or the quote ended the string and an expression follows.
    let call = value.ends_with(b",") && words();
    let joined = |byte: Option<&u8>| byte.is_some_and(|byte| b" +,)".contains(byte));
    let code = call || (quoted && (joined(value.first()) || value.ends_with(b" ")));
    let plain = place == Place::Memory && !matches!(separator, Some(b';' | b'?' | b'&'));
    let is_one = value.len() >= VALUE_MIN && !is_placeholder(value) && !code;
    let is_one = is_one && (!plain || is_secret_part(text, start..end, WORDS));
    is_one.then_some(start..end)
}

/// The bytes of a value whose key stands behind this separator.
fn goes_on(separator: Option<u8>) -> Class {
    match separator {
        Some(b';') => |byte| is_unquoted(byte) && byte != b';',
        Some(b'?' | b'&') => {
            |byte| is_unquoted(byte) && !matches!(byte, b'&' | b' ' | b'#' | b'\'')
        }
        Some(b' ') => |byte| is_unquoted(byte) && !matches!(byte, b' ' | b'\''),
        _ => |byte| is_unquoted(byte) && !matches!(byte, b' ' | b'&' | b';' | b','),
    }
}

fn is_unquoted(byte: u8) -> bool {
    is_line(byte) && !matches!(byte, b'"' | b'<' | b'>')
}

/// Whether other parts of a connection string stand on the same line, before the key or behind the value.
fn is_connection(text: &Text<'_>, key: usize, end: usize) -> bool {
    let first = text.run_back(key, AROUND, is_line);
    let last = text.run(end, AROUND / 2, is_line);
    has_part(text, first..key) || has_part(text, end..last)
}

/// Whether a part of a connection string stands there. What was searched before is not searched again.
fn has_part(text: &Text<'_>, range: Range<usize>) -> bool {
    let mut known = text.known.parts.borrow_mut();
    let (start, end) = (text.base + range.start, text.base + range.end);
    let is_near = known.end >= text.base && start <= known.end + 2 * AROUND;
    if start < known.start || !is_near {
        *known = Parts {
            start,
            end: start,
            found: Vec::new(),
        };
    }
    for at in known.end - text.base..range.end {
        if !matches!(text.get(at), Some(b'=' | b':' | b'/' | b'9')) {
            continue;
        }
        let last = at.checked_sub(1).and_then(|before| text.get(before..));
        let Some(last) = last.and_then(<[u8]>::first_chunk::<2>) else {
            continue;
        };
        // Most differ in the last two bytes.
        let last = last.map(|byte| byte.to_ascii_lowercase());
        let parts = PARTS.iter().filter(|part| part.ends_with(&last));
        let parts = parts.filter(|part| ends_with(text, at + 1, part));
        let parts = parts.map(|part| text.base + at + 1 - part.len()..text.base + at + 1);
        known.found.extend(parts);
    }
    known.end = known.end.max(end);
    let ended = known.found.partition_point(|part| part.end <= end);
    let mut ended = known.found.iter().take(ended).rev();
    let mut near = ended.by_ref().take_while(|part| part.end > start);
    near.any(|part| part.start >= start)
}

/// Whether `part` ends at `end`, in letters of either case.
fn ends_with(text: &[u8], end: usize, part: &[u8]) -> bool {
    let start = end.checked_sub(part.len());
    let there = start.and_then(|start| text.get(start..end));
    there.is_some_and(|there| there.eq_ignore_ascii_case(part))
}

/// Oracle, "JDBC Developer's Guide", data sources and URLs: `jdbc:oracle:thin:user/password@host`.
fn thin(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let user = at + THIN.len();
    let slash = text.run(user, 128, |byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'/' | b'@' | b'"' | b'\'')
    });
    (slash > user && text.get(slash) == Some(&b'/')).then_some(())?;
    let start = slash + 1;
    let end = text.run(start, VALUE_MAX, |byte| byte.is_ascii_graphic());
    // The last one: a password may have it, a host may not.
    let length = memchr::memrchr(b'@', text.get(start..end)?)?;
    let value = text.get(start..start + length)?;
    (value.len() >= VALUE_MIN && !is_placeholder(value)).then_some(start..start + length)
}

/// go-sql-driver/mysql, README, "DSN": `user:password@tcp(host)/name`; the password may have any character.
fn go(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let first = text.run_back(at, VALUE_MAX, |byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`')
    });
    let string = text.get(first..at)?;
    // `DSN=user:password`, where the name of a variable stands before.
    let name = memchr::memchr(b'=', string).map_or(0, |equals| equals + 1);
    let colon = memchr::memchr(b':', string.get(name..)?).map(|colon| name + colon)?;
    let start = first + colon + 1;
    let value = text.get(start..at)?;
    (value.len() >= VALUE_MIN && !is_placeholder(value)).then_some(start..at)
}
