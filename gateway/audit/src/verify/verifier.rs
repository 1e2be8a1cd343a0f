//! Checks a log line by line.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_core::{Event, Record};

use super::clock::Clock;
use super::comparison::Comparison;
use super::error::VerifyError;
use super::expected::{Anchor, Expected};
use super::keys::KeyHistory;
use super::location::{Location, RecentLines};
use super::verified::Verified;
use crate::chain::{ChainHead, EventKind, Link};
use crate::fault::Fault;
use crate::lines::ReadError;
use crate::merkle::{Tree, leaf_hash};

/// The state of the verification after the line that was read last.
pub(super) struct Verifier<'a> {
    comparison: Comparison<'a>,
    keys: KeyHistory<'a>,
    clock: Clock,
    head: ChainHead,
    tree: Tree,
    recent: RecentLines,
    /// Set if the last line does not name the digest of the line before it. The next line shows which of the two was
    /// changed.
    mismatch: bool,
    begins: u64,
    records: u64,
    files: Vec<(PathBuf, Anchor)>,
}

impl<'a> Verifier<'a> {
    pub(super) fn new(expected: &'a Expected) -> Result<Self, VerifyError> {
        let mut verifier = Self {
            comparison: Comparison::new(expected),
            keys: KeyHistory::new(&expected.keys),
            clock: Clock::default(),
            head: ChainHead::default(),
            tree: Tree::default(),
            recent: RecentLines::default(),
            mismatch: false,
            begins: 0,
            records: 0,
            files: Vec::new(),
        };
        verifier.compare()?;
        Ok(verifier)
    }

    /// Notes that the next line is the line `line` of the file `path`, from 1.
    pub(super) fn enter_line(&mut self, path: &Arc<Path>, line: u64) {
        self.recent.push(Location {
            path: Arc::clone(path),
            line,
            seq: self.head.seq,
        });
    }

    /// The error for a line that cannot be read.
    pub(super) fn read_error(&self, error: ReadError) -> VerifyError {
        match error {
            // The mismatch was found before this line.
            ReadError::Line { .. } if self.mismatch => self.before_last(Fault::Unlinked),
            ReadError::Line { fault, .. } => self.last(fault),
            error @ ReadError::File { .. } => error.into(),
        }
    }

    /// Checks the line that was entered.
    pub(super) fn check_line(&mut self, line: &[u8]) -> Result<(), VerifyError> {
        let fields = Link::parse(line);
        if self.mismatch {
            let links = fields
                .is_ok_and(|fields| fields.seq == self.head.seq && fields.prev == self.head.digest);
            return Err(if links {
                self.recent.third_last().broken(Fault::Changed)
            } else {
                self.before_last(Fault::Unlinked)
            });
        }
        let fields = fields.map_err(|_| self.last(Fault::NotARecord))?;
        if self.records == 0 && fields.seq != 0 && fields.event == EventKind::Segment {
            self.start_from_segment(&fields, line)?;
        }
        self.check_link(&fields)?;
        if self.recent.last().line == 1 {
            self.begin_file();
        }
        if !self.mismatch {
            self.check_statement(&fields, line)?;
        }
        self.advance(&fields, line)
    }

    /// Checks that the line follows the one before it.
    fn check_link(&mut self, fields: &Link<'_>) -> Result<(), VerifyError> {
        if fields.seq != self.head.seq {
            return Err(self.last(Fault::WrongSeq { found: fields.seq }));
        }
        self.mismatch = fields.prev != self.head.digest;
        if self.mismatch && self.records == 0 {
            // No line before it could have been changed instead.
            return Err(self.last(Fault::Unlinked));
        }
        Ok(())
    }

    /// Checks a line that the log writes about itself.
    fn check_statement(&mut self, fields: &Link<'_>, line: &[u8]) -> Result<(), VerifyError> {
        match fields.event {
            EventKind::Head | EventKind::Key | EventKind::KeyRemoved | EventKind::Segment => {}
            EventKind::Intent | EventKind::Outcome | EventKind::Other => return Ok(()),
        }
        let record: Record =
            serde_json::from_slice(line).map_err(|_| self.last(Fault::NotARecord))?;
        let location = self.recent.last();
        self.keys
            .check(record, &self.tree, location)
            .map_err(|fault| location.broken(fault))
    }

    fn advance(&mut self, fields: &Link<'_>, line: &[u8]) -> Result<(), VerifyError> {
        self.clock.add(self.head.seq, fields.at);
        self.head = ChainHead::after(self.head.seq, line);
        self.tree.push(leaf_hash(line));
        self.records = self.records.saturating_add(1);
        self.compare()
    }

    /// Begins in the middle of the chain, at the first line of a later file.
    fn start_from_segment(&mut self, fields: &Link<'_>, line: &[u8]) -> Result<(), VerifyError> {
        let not_a_record = || self.last(Fault::NotARecord);
        let Ok(Record {
            event: Event::Segment(start),
            ..
        }) = serde_json::from_slice(line)
        else {
            return Err(not_a_record());
        };
        let tree = Tree::from_frontier(fields.seq, &start.frontier).ok_or_else(not_a_record)?;
        let here = Anchor {
            seq: fields.seq,
            prev: fields.prev.clone().into_owned(),
        };
        self.comparison.check_start(&here)?;
        self.keys.start_from_segment(&start, here.seq);
        (self.tree, self.begins, self.recent.last_mut().seq) = (tree, here.seq, here.seq);
        self.head = ChainHead {
            seq: here.seq,
            digest: here.prev,
        };
        self.compare()
    }

    fn begin_file(&mut self) {
        let anchor = Anchor {
            seq: self.head.seq,
            prev: self.head.digest.clone(),
        };
        let path = self.recent.last().path.to_path_buf();
        self.files.push((path, anchor));
    }

    /// Compares the log so far with what is expected.
    fn compare(&mut self) -> Result<(), VerifyError> {
        self.comparison.check_chain(&self.head)?;
        if self.mismatch {
            return Ok(());
        }
        self.comparison.check_tree(&self.tree, self.keys.since())
    }

    /// Decides at the end of the log.
    pub(super) fn finish(self) -> Result<Verified, VerifyError> {
        let end = self.head.seq;
        if self.mismatch {
            // A kept digest of the last line proves that the line before it was changed.
            let proven = self.comparison.covered == Some(end);
            return Err(self.before_last(if proven {
                Fault::Changed
            } else {
                Fault::Ambiguous
            }));
        }
        if let Some(kept) = self.comparison.finish(end)? {
            self.keys.check_kept(kept)?;
        }
        let signatures = self.keys.finish()?;
        Ok(Verified {
            begins: self.begins,
            records: self.records,
            head: self.head.digest,
            first: self.clock.first,
            last: self.clock.last,
            set_back: self.clock.set_back,
            covered: self.comparison.covered,
            signed: signatures.last,
            trust: signatures.trust,
            unproven: signatures.unproven,
            keyless: signatures.keyless,
            files: self.files,
        })
    }

    fn last(&self, fault: Fault) -> VerifyError {
        self.recent.last().broken(fault)
    }

    fn before_last(&self, fault: Fault) -> VerifyError {
        self.recent.second_last().broken(fault)
    }
}
