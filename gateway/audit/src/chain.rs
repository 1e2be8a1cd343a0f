//! The hash chain: each line of the log holds its number and the digest of the line before it.

use std::borrow::Cow;
use std::io;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

/// The longest line in bytes, without its line feed. A reader needs memory for a few of these.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// The `prev` of the first line.
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The fields of a line that the chain is made of. The rest of the record may be newer than this program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Link<'a> {
    /// The line's number, from 0.
    pub(crate) seq: u64,
    /// The digest of the line before it.
    #[serde(borrow)]
    pub(crate) prev: Cow<'a, str>,
    /// The time of the record.
    pub(crate) at: jiff::Timestamp,
    /// The kind of the record.
    #[serde(default)]
    pub(crate) event: EventKind,
}

/// The kinds of records that the log itself distinguishes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EventKind {
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
    pub(crate) fn parse(line: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(line)
    }
}

/// The end of the chain, to which the next line is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChainHead {
    /// The number of the next line, which is also the number of lines so far.
    pub(crate) seq: u64,
    /// The digest (SHA-256, hex) of the last line without its line feed.
    pub(crate) digest: String,
}

impl ChainHead {
    /// The end of a chain whose last line is `line` with the number `seq`.
    pub(crate) fn after(seq: u64, line: &[u8]) -> Self {
        Self {
            seq: seq.saturating_add(1),
            digest: sha256_hex(line),
        }
    }

    /// The next line, without its line feed, for a record whose JSON is `body`.
    pub(crate) fn next_line(&self, body: &[u8]) -> io::Result<Vec<u8>> {
        let fields = body.strip_prefix(b"{").ok_or(io::ErrorKind::InvalidInput)?;
        let mut line = self.next_prefix().into_bytes();
        if line.len().saturating_add(fields.len()) > MAX_LINE {
            return Err(record_too_long());
        }
        line.extend_from_slice(fields);
        Ok(line)
    }

    /// The bytes with which the next line begins, and no other line.
    fn next_prefix(&self) -> String {
        format!(r#"{{"seq":{},"prev":"{}","#, self.seq, self.digest)
    }

    /// Whether `part` can be the beginning of the next line, as a crash leaves it.
    pub(crate) fn may_continue_with(&self, part: &[u8]) -> bool {
        let prefix = self.next_prefix();
        part.starts_with(prefix.as_bytes()) || prefix.as_bytes().starts_with(part)
    }
}

impl Default for ChainHead {
    /// The end of an empty log.
    fn default() -> Self {
        Self {
            seq: 0,
            digest: NO_DIGEST.to_owned(),
        }
    }
}

/// The error for a record that is longer than a line may be.
pub(crate) fn record_too_long() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "the record is too long for a line",
    )
}

/// SHA-256 as lower-case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}
