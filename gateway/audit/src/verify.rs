use std::io::{self, BufRead, Read};

use crate::chain::{Head, LONGEST, Link};

/// What a log proves to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many records it holds.
    pub records: u64,
    /// The digest (SHA-256, hex) of the last line without its end: kept elsewhere, it proves later that none of these
    /// records was changed or cut off. 64 zeros where there is none.
    pub head: String,
    /// When the first record was written.
    pub first: Option<jiff::Timestamp>,
    /// When the last record was written.
    pub last: Option<jiff::Timestamp>,
    /// How many records the head that was kept covers; absent where none was given.
    pub covered: Option<u64>,
}

/// Why a log is not verified.
#[derive(Debug, thiserror::Error)]
pub enum Unverified {
    /// It cannot be read.
    #[error("cannot read the audit log")]
    Read(#[from] io::Error),
    /// The chain does not hold.
    #[error("line {line} (seq {seq}): {fault}", seq = .line.saturating_sub(1))]
    Broken {
        /// The first bad line, from 1.
        line: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The chain holds, and has no line with the digest that was kept.
    #[error("no line has the digest {head}: the log was cut after line {records}, or is another one")]
    Cut {
        /// The digest that was kept.
        head: String,
        /// How many records there are.
        records: u64,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It cannot be read as a record.
    #[error("it is no record of a chained log")]
    Foreign,
    /// It has no end: a crash or somebody cut it short, or it is being written.
    #[error("it is cut short")]
    Short,
    /// No record is so long.
    #[error("it is longer than a record may be")]
    Long,
    /// It has the place of another line: lines were removed, added or exchanged here.
    #[error("it has the seq {found}: a line was removed, added or moved here")]
    Moved {
        /// Which place it has.
        found: u64,
    },
    /// It is not the line that the next one was chained to.
    #[error("it was changed: the next line was chained to another")]
    Changed,
    /// It and the line before it do not fit, and no line follows that could tell which of them was changed.
    #[error("it was changed, or the last line behind it was: they do not fit")]
    Unfit,
    /// It names another line before it than there is, and is not what the line after it was chained to, either.
    #[error("it was changed: it does not name the line before it")]
    Unchained,
}

/// Reads a whole log, in memory for a few lines, and checks its chain. With `kept`, the head of an earlier time, that must
/// be a line of it: without, nobody can tell whether lines were cut off its end, or all of it was written anew.
///
/// # Errors
/// The first bad record, by its line.
pub fn verify(mut log: impl BufRead, kept: Option<&str>) -> Result<Verified, Unverified> {
    let mut walk = Walk::new(kept);
    let mut line = Vec::new();
    while next(&mut log, &mut line).map_err(|error| walk.unreadable(error))? {
        walk.step(&line)?;
    }
    walk.end()
}

/// The way along the chain.
struct Walk<'a> {
    kept: Option<&'a str>,
    /// Behind the line that was read last.
    head: Head,
    first: Option<jiff::Timestamp>,
    last: Option<jiff::Timestamp>,
    covered: Option<u64>,
    /// The line that was read last does not fit the one before it. The next tells which is bad.
    unfit: bool,
}

impl<'a> Walk<'a> {
    fn new(kept: Option<&'a str>) -> Self {
        let mut walk =
            Self { kept, head: Head::origin(), first: None, last: None, covered: None, unfit: false };
        walk.cover();
        walk
    }

    fn step(&mut self, line: &[u8]) -> Result<(), Unverified> {
        let read = Link::of(line);
        if self.unfit {
            let fits = read.is_ok_and(|next| next.seq == self.head.seq && next.prev == self.head.hash);
            return Err(if fits {
                self.broken(-1, Fault::Changed)
            } else {
                self.broken(0, Fault::Unchained)
            });
        }
        let Ok(next) = read else { return Err(self.broken(1, Fault::Foreign)) };
        if next.seq != self.head.seq {
            return Err(self.broken(1, Fault::Moved { found: next.seq }));
        }
        self.unfit = next.prev != self.head.hash;
        self.pass(next.at, line)
    }

    fn pass(&mut self, at: jiff::Timestamp, line: &[u8]) -> Result<(), Unverified> {
        self.head = Head::behind(self.head.seq, line);
        if self.unfit && self.head.seq == 1 {
            // Nothing is before the first line.
            return Err(self.broken(0, Fault::Unchained));
        }
        self.first.get_or_insert(at);
        self.last = Some(at);
        self.cover();
        Ok(())
    }

    fn cover(&mut self) {
        if self.kept.is_some_and(|kept| kept.eq_ignore_ascii_case(&self.head.hash)) {
            self.covered = Some(self.head.seq);
        }
    }

    fn end(self) -> Result<Verified, Unverified> {
        if self.unfit {
            // The head that was kept proves the last line, if it is its digest.
            let proven = self.covered == Some(self.head.seq);
            return Err(self.broken(-1, if proven { Fault::Changed } else { Fault::Unfit }));
        }
        match self.kept {
            Some(head) if self.covered.is_none() => {
                Err(Unverified::Cut { head: head.to_owned(), records: self.head.seq })
            }
            _ => Ok(self.verified()),
        }
    }

    fn verified(self) -> Verified {
        let Self { head, first, last, covered, .. } = self;
        Verified { records: head.seq, head: head.hash, first, last, covered }
    }

    /// The line `step` lines from the one that was read last.
    fn broken(&self, step: i64, fault: Fault) -> Unverified {
        Unverified::Broken { line: self.head.seq.saturating_add_signed(step), fault }
    }

    fn unreadable(&self, error: Unreadable) -> Unverified {
        match error {
            Unreadable::Disk(error) => Unverified::Read(error),
            // What is unfit is further ahead in the log.
            Unreadable::Line(_) if self.unfit => self.broken(0, Fault::Unchained),
            Unreadable::Line(fault) => self.broken(1, fault),
        }
    }
}

enum Unreadable {
    Disk(io::Error),
    Line(Fault),
}

/// Reads the next line without its end into `line`; `false` where there is none.
fn next(log: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Unreadable> {
    line.clear();
    let most = LONGEST as u64 + 1;
    log.take(most).read_until(b'\n', line).map_err(Unreadable::Disk)?;
    match line.pop() {
        None => Ok(false),
        Some(b'\n') => Ok(true),
        Some(_) if line.len() >= LONGEST => Err(Unreadable::Line(Fault::Long)),
        Some(_) => Err(Unreadable::Line(Fault::Short)),
    }
}

#[cfg(test)]
mod tests;
