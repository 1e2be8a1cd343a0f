//! The chain: each line of the log names its place and the digest of the line before it.

use std::borrow::Cow;
use std::io;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

/// The longest line in bytes, its end aside. Whoever reads a log needs no more memory than for a few of these.
pub(crate) const LONGEST: usize = 1 << 20;

/// What the first line names as the digest of the line before it.
const ORIGIN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What holds a line in the chain. Read without the rest of the record, which may be newer than this program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Link<'a> {
    /// Its place, from 0.
    pub(crate) seq: u64,
    /// The digest of the line before it.
    #[serde(borrow)]
    pub(crate) prev: Cow<'a, str>,
    /// When it was written.
    pub(crate) at: jiff::Timestamp,
    /// What it tells.
    #[serde(default)]
    pub(crate) event: Kind,
}

/// What a line tells, as far as the log itself wants to know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Intent,
    Outcome,
    Head,
    Key,
    KeyRemoved,
    Segment,
    #[default]
    #[serde(other)]
    Other,
}

impl<'a> Link<'a> {
    pub(crate) fn of(line: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(line)
    }
}

/// Where the chain goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The place of the next line, which is also how many there are.
    pub(crate) seq: u64,
    /// The digest (SHA-256, hex) of the last line, without its end.
    pub(crate) hash: String,
}

impl Head {
    /// Behind `line`, which has the place `seq`.
    pub(crate) fn behind(seq: u64, line: &[u8]) -> Self {
        Self {
            seq: seq.saturating_add(1),
            hash: hash(line),
        }
    }

    /// The next line, without its end, for the record that is `body` as JSON.
    pub(crate) fn line(&self, body: &[u8]) -> io::Result<Vec<u8>> {
        let fields = body.strip_prefix(b"{").ok_or(io::ErrorKind::InvalidInput)?;
        let mut line = self.beginning().into_bytes();
        if line.len().saturating_add(fields.len()) > LONGEST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the record is too long for a line",
            ));
        }
        line.extend_from_slice(fields);
        Ok(line)
    }

    /// What the next line begins with, and no other.
    fn beginning(&self) -> String {
        format!(r#"{{"seq":{},"prev":"{}","#, self.seq, self.hash)
    }

    /// Whether `part` may be what a crash left of the next line: it begins as only that line can.
    pub(crate) fn may_begin(&self, part: &[u8]) -> bool {
        let begin = self.beginning();
        part.starts_with(begin.as_bytes()) || begin.as_bytes().starts_with(part)
    }
}

impl Default for Head {
    /// Of a log that has no line yet.
    fn default() -> Self {
        Self {
            seq: 0,
            hash: ORIGIN.to_owned(),
        }
    }
}

/// SHA-256 in lower-case hex digits.
pub(crate) fn hash(line: &[u8]) -> String {
    hex(digest(&SHA256, line).as_ref())
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| {
        DIGITS
            .get(usize::from(value))
            .copied()
            .map_or('0', char::from)
    };
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}
