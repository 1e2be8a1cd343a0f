//! The chain: each line of the log names its place and the digest of the line before it.

use std::io;

use aws_lc_rs::digest::{SHA256, digest};
use gateway_core::Record;
use serde::{Deserialize, Serialize};

/// The longest line in bytes, its end aside. Whoever reads a log needs no more memory than for a few of these.
pub(crate) const LONGEST: usize = 1 << 20;

/// What the first line names as the digest of the line before it.
const ORIGIN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A line of the log: the record, and where in the chain it stands.
#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    prev: &'a str,
    #[serde(flatten)]
    record: &'a Record,
}

/// What holds a line in the chain. Read without the rest of the record, which may be newer than this program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Link {
    /// Its place, from 0.
    pub(crate) seq: u64,
    /// The digest of the line before it.
    pub(crate) prev: String,
    /// When it was written.
    pub(crate) at: jiff::Timestamp,
}

impl Link {
    pub(crate) fn of(line: &[u8]) -> serde_json::Result<Self> {
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
    /// Of a log that has no line yet.
    pub(crate) fn origin() -> Self {
        Self { seq: 0, hash: ORIGIN.to_owned() }
    }

    /// Behind `line`, which has the place `seq`.
    pub(crate) fn behind(seq: u64, line: &[u8]) -> Self {
        Self { seq: seq.saturating_add(1), hash: hash(line) }
    }

    /// Adds `record` to `lines` as the next line, and goes behind it. On an error, nothing has changed.
    pub(crate) fn extend(&mut self, record: &Record, lines: &mut Vec<u8>) -> io::Result<()> {
        let line = serde_json::to_vec(&Line { seq: self.seq, prev: &self.hash, record })?;
        if line.len() > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the record is too long for a line"));
        }
        *self = Self::behind(self.seq, &line);
        lines.extend_from_slice(&line);
        lines.push(b'\n');
        Ok(())
    }

    /// Whether `part` may be what a crash left of the next line: it begins as only that line can.
    pub(crate) fn may_begin(&self, part: &[u8]) -> bool {
        let begin = format!(r#"{{"seq":{},"prev":"{}","#, self.seq, self.hash);
        part.starts_with(begin.as_bytes()) || begin.as_bytes().starts_with(part)
    }
}

/// SHA-256 in lower-case hex digits.
pub(crate) fn hash(line: &[u8]) -> String {
    hex(digest(&SHA256, line).as_ref())
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().map_or('0', char::from);
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}
