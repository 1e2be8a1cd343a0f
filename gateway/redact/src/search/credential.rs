//! Credentials inside a value: in a URL, in a connection string, in a query.

use std::ops::Range;

use gateway_core::Place;

use super::detect::{self, Detector, Known, Text};

/// Longer values are no URLs.
const LENGTH_MAX: usize = 16 << 10;
/// Longer keys do not count.
const KEY_MAX: usize = 64;
/// Keys of a query whose values are credentials end or begin with these, in small letters.
const KEYS: [&str; 11] = [
    "password",
    "passwd",
    "pwd",
    "pass",
    "secret",
    "token",
    "key",
    "sig",
    "signature",
    "auth",
    "credential",
];

/// The credentials in `value`, as they stand there; none of a template, which programs in a variable are full of.
pub(crate) fn credentials(value: &[u8]) -> Vec<Range<usize>> {
    if value.len() > LENGTH_MAX {
        return Vec::new();
    }
    let mut all: Vec<Range<usize>> = ["basic-auth-url", "connection-string"]
        .into_iter()
        .filter_map(detect::named)
        .flat_map(|detector| detected(value, detector))
        .chain(in_query(value))
        .filter(|range| {
            let credential = value.get(range.clone());
            credential.is_some_and(|credential| !detect::is_placeholder(credential))
        })
        .collect();
    all.sort_unstable_by_key(|range| (range.start, range.end));
    all.dedup();
    all
}

/// `text` without percent-encoding; `None` if it has none.
pub(crate) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |at: usize| {
        let byte = text.get(at)?;
        char::from(*byte).to_digit(16)
    };
    let (mut decoded, mut at) = (Vec::new(), 0);
    while let Some(byte) = text.get(at) {
        let escaped = (*byte == b'%')
            .then(|| digit(at + 1).zip(digit(at + 2)))
            .flatten()
            .and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
        decoded.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    (decoded != text).then_some(decoded)
}

fn detected(value: &[u8], detector: Detector) -> Vec<Range<usize>> {
    let Detector::Anchored(probes) = detector else {
        return Vec::new();
    };
    let known = Known::default();
    let text = Text::new(value, 0, &known);
    let mut found = Vec::new();
    for at in 0..value.len() {
        let here = value.get(at..).unwrap_or_default();
        let there = probes.iter().filter(|(anchor, _)| anchor.starts(here));
        // Before a password of one kind stands no secret that files would not have.
        found.extend(there.filter_map(|(_, finder)| finder.find(&text, at, Place::Files)));
    }
    found
}

/// Values of a URL's query, and of `key=value` pairs behind semicolons, whose keys say that they are credentials.
fn in_query(value: &[u8]) -> Vec<Range<usize>> {
    let starts = (0..value.len()).filter(|at| matches!(value.get(*at), Some(b'?' | b'&' | b';')));
    let pair = |at: usize| {
        let rest = value.get(at + 1..)?;
        let near = rest.iter().take(2 * KEY_MAX);
        let equals = near.take_while(|byte| **byte != b'=').count();
        (rest.get(equals) == Some(&b'=')).then_some(())?;
        let key = std::str::from_utf8(rest.get(..equals)?)
            .ok()?
            .trim()
            .to_ascii_lowercase();
        let tells = KEYS
            .iter()
            .any(|known| key.ends_with(known) || key.starts_with(known));
        let start = at + 1 + equals + 1;
        let text = value.get(start..)?.iter();
        let length = text
            .take_while(|byte| {
                !matches!(byte, b'&' | b';' | b'#' | b'"' | b'\'') && !byte.is_ascii_whitespace()
            })
            .count();
        (tells && key.len() <= KEY_MAX && length > 0).then(|| start..start + length)
    };
    starts.filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str) -> Vec<&str> {
        let all = credentials(value.as_bytes()).into_iter();
        all.map(|range| &value[range]).collect()
    }

    #[test]
    fn finds_credentials_in_urls_and_connection_strings() {
        assert_eq!(
            found("postgres://cart:p%40ss-w0rd@db:5432/cart"),
            ["p%40ss-w0rd"]
        );
        assert_eq!(
            found("host=db user=cart password=Gx7Rt2 dbname=cart"),
            ["Gx7Rt2"]
        );
        assert_eq!(found("Server=db;User Id=cart;Password=Gx7Rt2;"), ["Gx7Rt2"]);
        assert_eq!(found("cart:Gx7Rt2@tcp(db:3306)/cart"), ["Gx7Rt2"]);
        assert_eq!(
            found("https://api.example/v1?user=1&api_key=a8f5f167"),
            ["a8f5f167"]
        );
        assert_eq!(found("https://login.example/oauth2?state=open"), [""; 0]);
        assert_eq!(found("redis://cache:6379/0"), [""; 0]);
    }

    #[test]
    fn decodes_percent_encoding() {
        assert_eq!(decoded(b"p%40ss%2fw%zz"), Some(b"p@ss/w%zz".to_vec()));
        assert_eq!(decoded(b"plain"), None);
    }
}
