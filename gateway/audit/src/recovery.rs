//! Reads what the previous run left: the end of the chain, and intents without an outcome.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use gateway_core::{Event, Record};

use crate::chain::{EventKind, Link, MAX_LINE};
use crate::key::PublicKey;
use crate::merkle::Tree;
use crate::segment::{self, Segment};
use crate::state::LogState;

mod open_intents;

use open_intents::OpenIntents;

/// The number of bytes before the end in which open intents are searched: more than is written while a request lasts.
const SEARCH_BYTES: u64 = 64 << 20;

/// The repairs that were made when a log was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The length in bytes of an incomplete last line that was removed.
    pub truncated_bytes: u64,
    /// The number of intents that had no outcome and get one with the code `unknown`.
    pub unknown_outcomes: u64,
    /// The number of those outcomes that could not be written yet. Until they are, all other records are refused.
    pub unwritten_outcomes: u64,
}

/// The end of a log.
pub(crate) struct LogEnd {
    /// The state after the last whole line.
    pub(crate) state: LogState,
    /// The length in bytes of the active file's whole lines.
    pub(crate) length: u64,
    /// The number of the active file's first line.
    pub(crate) first_seq: u64,
    /// An outcome `unknown` for each open intent, in their order.
    pub(crate) outcomes: Vec<Record>,
}

/// Reads the active file `file` of `length` bytes, and of the closed segments those that may hold open intents.
pub(crate) fn read(
    log: &Path,
    mut file: &File,
    length: u64,
    now: jiff::Timestamp,
) -> io::Result<LogEnd> {
    let closed = segment::closed(log)?;
    if length == 0 && !closed.is_empty() {
        return Err(invalid(
            "closed segments of another log are beside it: move them away, too",
        ));
    }
    let mut intents = OpenIntents::default();
    if length < SEARCH_BYTES {
        read_newest(&closed, SEARCH_BYTES - length, &mut intents)?;
    }
    file.seek(SeekFrom::Start(0))?;
    let mut scan = ActiveScan::default();
    let mut lines = BufReader::with_capacity(1 << 16, file.take(length));
    scan.read(&mut lines, length, &mut intents)?;
    if scan.state.tree.size() != scan.state.head.seq {
        return Err(invalid(
            "lines of it are missing or repeated: run `ckpt audit verify`, then move the file away",
        ));
    }
    Ok(LogEnd {
        state: scan.state,
        length: scan.length,
        first_seq: scan.first_seq.unwrap_or(0),
        outcomes: intents.into_outcomes(now),
    })
}

/// Reads the newest closed segments, of at least `bytes` bytes if there are as many.
fn read_newest(closed: &[Segment], bytes: u64, intents: &mut OpenIntents) -> io::Result<()> {
    let (mut missing, mut count) = (bytes, 0);
    for segment in closed.iter().rev() {
        if missing == 0 {
            break;
        }
        missing = missing.saturating_sub(segment.length()?);
        count += 1;
    }
    for segment in closed.iter().skip(closed.len() - count) {
        let (_, mut text) = segment.open()?;
        let mut line = Vec::new();
        while read_line(&mut text, &mut line)? != 0 {
            intents.add_line(&line);
        }
    }
    Ok(())
}

/// Reads a line with its line feed. A line that is too long comes in pieces.
fn read_line(text: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    text.take(MAX_LINE as u64 + 1).read_until(b'\n', line)
}

/// A scan of the active file.
#[derive(Default)]
struct ActiveScan {
    state: LogState,
    length: u64,
    first_seq: Option<u64>,
}

impl ActiveScan {
    fn read(
        &mut self,
        text: &mut impl BufRead,
        length: u64,
        intents: &mut OpenIntents,
    ) -> io::Result<()> {
        let mut line = Vec::new();
        while read_line(text, &mut line)? != 0 {
            if line.pop_if(|last| *last == b'\n').is_none() {
                return self.check_rest(&mut line, text);
            }
            self.length = self.length.saturating_add(line.len() as u64 + 1);
            self.add_line(&line)?;
            if length - self.length <= SEARCH_BYTES {
                intents.add_line(&line);
            }
        }
        Ok(())
    }

    /// Checks that the bytes after the last whole line are the beginning of the next one. Otherwise the file is not a log,
    /// and was configured by mistake: it must not be truncated. Zeros may follow, since a file system can lengthen a file
    /// before it writes the data.
    fn check_rest(&self, part: &mut Vec<u8>, text: &mut impl BufRead) -> io::Result<()> {
        let written = part.iter().rposition(|byte| *byte != 0);
        part.truncate(written.map_or(0, |last| last + 1));
        let only_zeros = text.bytes().all(|byte| matches!(byte, Ok(0)));
        if only_zeros && self.state.head.may_continue_with(part) {
            Ok(())
        } else {
            Err(not_a_log())
        }
    }

    fn add_line(&mut self, line: &[u8]) -> io::Result<()> {
        let fields = Link::parse(line).map_err(|_| not_a_log())?;
        if self.first_seq.is_none() {
            self.first_seq = Some(fields.seq);
            if fields.seq != 0 {
                self.start_from_segment(fields.seq, line)?;
            }
        }
        match fields.event {
            EventKind::Head => self.check_head(line)?,
            EventKind::Key => self.change_key(line)?,
            EventKind::KeyRemoved => self.state.key = None,
            _ => {}
        }
        self.state.advance(line);
        self.state.head.seq = fields.seq.saturating_add(1);
        if fields.event == EventKind::Head {
            self.state.unsigned = 0;
        }
        Ok(())
    }

    /// Takes over the tree and the key of the lines before this file from its first line.
    fn start_from_segment(&mut self, seq: u64, line: &[u8]) -> io::Result<()> {
        let Ok(Record {
            event: Event::Segment(start),
            ..
        }) = serde_json::from_slice(line)
        else {
            return Err(invalid(
                "its beginning is missing: run `ckpt audit verify`, then move the file away",
            ));
        };
        self.state.tree = Tree::from_frontier(seq, &start.frontier).ok_or_else(not_a_log)?;
        self.state.key = start.public_key.as_deref().and_then(PublicKey::from_base64);
        Ok(())
    }

    /// Checks that a signed head matches the lines before it, so that nothing is signed that contradicts it.
    fn check_head(&self, line: &[u8]) -> io::Result<()> {
        let Event::Head(head) = parse(line)?.event else {
            return Err(not_a_log());
        };
        if head.size == self.state.tree.size() && head.root == self.state.tree.root_hex() {
            return Ok(());
        }
        Err(invalid(
            "a signed head does not match the lines before it: run `ckpt audit verify`, then move the file away",
        ))
    }

    fn change_key(&mut self, line: &[u8]) -> io::Result<()> {
        let Event::Key(change) = parse(line)?.event else {
            return Err(not_a_log());
        };
        self.state.key = PublicKey::from_base64(&change.public_key);
        Ok(())
    }
}

fn parse(line: &[u8]) -> io::Result<Record> {
    serde_json::from_slice(line).map_err(|_| not_a_log())
}

fn not_a_log() -> io::Error {
    invalid("not a chained log: move the file away to begin a new log")
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
