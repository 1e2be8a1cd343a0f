//! Passwords and keys in connection strings: JDBC, libpq, ADO and ODBC, Azure's and Redis' clients, Oracle's thin driver, and
//! Go's data source names. The other parts of the string decide whether it is one.
//!
//! In memory a value between spaces or commas must look like a secret, too: in programs it may be an argument of a call.

use std::ops::Range;

use gateway_core::Place;

use super::super::anchor::Anchor;
use super::VerifyIn;
use super::text::{before, run, run_back};
use super::words::{is_placeholder, is_secret, is_words};

/// The part of the text around the password in which the other parts are looked for.
const AROUND: usize = 512;
const VALUE_MAX: usize = 512;
const VALUE_MIN: usize = 3;
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
fn keyed(text: &[u8], start: usize, place: Place) -> Option<Range<usize>> {
    let key = run_back(text, start, 32, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'=' | b'.')
    });
    let separator = before(text, key);
    let quoted = matches!(text.get(start), Some(b'\'' | b'"'));
    let (start, end) = match text.get(start)? {
        quote @ (b'\'' | b'"') => {
            let end = run(text, start + 1, VALUE_MAX, |byte| {
                is_line(byte) && byte != *quote
            });
            (start + 1, end)
        }
        b'{' if separator == Some(b';') => {
            let end = run(text, start + 1, VALUE_MAX, |byte| {
                is_line(byte) && byte != b'}'
            });
            (start + 1, end)
        }
        _ => (
            start,
            run(text, start, VALUE_MAX, |byte| ends(separator, byte)),
        ),
    };
    let value = text.get(start..end)?;
    // An argument of a call, or the quote ended the string and an expression follows.
    let call = value.ends_with(b",") && is_words(value);
    let joined = |byte: Option<&u8>| byte.is_some_and(|byte| b" +,)".contains(byte));
    let code = call || (quoted && (joined(value.first()) || value.ends_with(b" ")));
    let plain = place == Place::Memory && !matches!(separator, Some(b';' | b'?' | b'&'));
    let is_one = value.len() >= VALUE_MIN && !is_placeholder(value) && !code;
    let is_one = is_one && (!plain || is_secret(value));
    (is_one && is_connection(text, key, end)).then_some(start..end)
}

/// Whether `byte` still belongs to a value whose key stands behind this separator.
fn ends(separator: Option<u8>, byte: u8) -> bool {
    let common = is_line(byte) && !matches!(byte, b'"' | b'<' | b'>');
    common
        && match separator {
            Some(b';') => byte != b';',
            Some(b'?' | b'&') => !matches!(byte, b'&' | b' ' | b'#' | b'\''),
            Some(b' ') => !matches!(byte, b' ' | b'\''),
            _ => !matches!(byte, b' ' | b'&' | b';' | b','),
        }
}

/// Whether other parts of a connection string stand on the same line, before the key or behind the value.
fn is_connection(text: &[u8], key: usize, end: usize) -> bool {
    let first = run_back(text, key, AROUND, is_line);
    let last = run(text, end, AROUND / 2, is_line);
    let around = [text.get(first..key), text.get(end..last)];
    around.into_iter().flatten().any(|part| {
        let part = part.to_ascii_lowercase();
        PARTS
            .iter()
            .any(|known| memchr::memmem::find(&part, known).is_some())
    })
}

/// Oracle, "JDBC Developer's Guide", data sources and URLs: `jdbc:oracle:thin:user/password@host`.
fn thin(text: &[u8], at: usize) -> Option<Range<usize>> {
    let user = at + THIN.len();
    let slash = run(text, user, 128, |byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'/' | b'@' | b'"' | b'\'')
    });
    (slash > user && text.get(slash) == Some(&b'/')).then_some(())?;
    let start = slash + 1;
    let end = run(text, start, VALUE_MAX, |byte| byte.is_ascii_graphic());
    // The last one: a password may have it, a host may not.
    let length = memchr::memrchr(b'@', text.get(start..end)?)?;
    let value = text.get(start..start + length)?;
    (value.len() >= VALUE_MIN && !is_placeholder(value)).then_some(start..start + length)
}

/// go-sql-driver/mysql, README, "DSN": `user:password@tcp(host)/name`; the password may have any character.
fn go(text: &[u8], at: usize) -> Option<Range<usize>> {
    let first = run_back(text, at, VALUE_MAX, |byte| {
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
