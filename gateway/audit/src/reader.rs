//! Reads the records of a log one by one.

use std::path::Path;

use gateway_core::Record;

use crate::chain::{Link, sha256_hex};
use crate::fault::Fault;
use crate::lines::{Lines, ReadError};

/// A record with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line's number, from 0, as the line gives it. [`crate::verify`] checks it.
    pub seq: u64,
    /// The digest (SHA-256, hex) of the line without its line feed.
    pub hash: String,
    /// The line without its line feed.
    pub line: Vec<u8>,
    /// The record.
    pub record: Record,
}

/// Reads the records of a log: see [`read`].
pub struct Reader {
    lines: Lines,
}

/// Reads the log at `path`: its closed segments in order, compressed or not, then the active file as far as it is written
/// now. One line is in memory at a time. If `path` is a compressed segment, only that file is read. The chain is not checked.
///
/// A line that is not a record is an error, and reading continues with the next line. While a gateway writes, the last line
/// may be [`Fault::Incomplete`].
///
/// # Errors
/// If the log cannot be opened.
pub fn read(path: &Path) -> Result<Reader, ReadError> {
    let lines = Lines::open(path)?;
    Ok(Reader { lines })
}

impl Reader {
    fn parse(&self, line: Vec<u8>) -> Result<Entry, ReadError> {
        let parsed =
            Link::parse(&line).and_then(|link| Ok((link.seq, serde_json::from_slice(&line)?)));
        let Ok((seq, record)) = parsed else {
            return Err(ReadError::Line {
                path: self.lines.path.to_path_buf(),
                line: self.lines.number,
                fault: Fault::NotARecord,
            });
        };
        Ok(Entry {
            seq,
            hash: sha256_hex(&line),
            line,
            record,
        })
    }
}

impl Iterator for Reader {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        match self.lines.next(&mut line) {
            Err(error) => Some(Err(error)),
            Ok(false) => None,
            Ok(true) => Some(self.parse(line)),
        }
    }
}

#[cfg(test)]
mod tests;
