use std::path::Path;
use std::sync::Arc;

use gateway_core::{Event, Record};
use jiff::{SignedDuration, Timestamp};

use super::keys::Keys;
use super::{Anchor, ClockSetBack, Expected, Fault, KeptHead, Verified, VerifyError};
use crate::chain::{Head, Kind, Link, hex};
use crate::lines::{Lines, ReadError};
use crate::merkle::{Tree, leaf};

/// Records that wait at the same time may be written in another order than they were made. None waits so long.
const ORDER: SignedDuration = SignedDuration::from_mins(1);

/// Walks along the chain from its first line to its last.
pub(super) fn walk(mut lines: Lines, expected: &Expected) -> Result<Verified, VerifyError> {
    let mut walk = Walk::new(expected);
    walk.cover()?;
    let mut line = Vec::new();
    loop {
        let read = lines.next(&mut line);
        if matches!(read, Ok(false)) {
            return walk.end();
        }
        walk.enter(&lines);
        read.map_err(|error| walk.unreadable(error, &lines))?;
        walk.step(&line)?;
    }
}

pub(crate) fn unreadable(error: ReadError, path: &Path) -> VerifyError {
    match error {
        ReadError::File { path, source } => VerifyError::Read { path, source },
        ReadError::Line { line, fault, .. } => VerifyError::Broken {
            path: path.to_owned(),
            line,
            seq: 0,
            fault,
        },
    }
}

/// A line, by where it is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    path: Arc<Path>,
    line: u64,
    seq: u64,
}

impl Place {
    pub(super) fn broken(&self, fault: Fault) -> VerifyError {
        VerifyError::Broken {
            path: self.path.to_path_buf(),
            line: self.line,
            seq: self.seq,
            fault,
        }
    }
}

/// The way along the chain.
struct Walk<'a> {
    expected: &'a Expected,
    keys: Keys<'a>,
    /// Behind the line that was read last.
    head: Head,
    tree: Tree,
    verified: Verified,
    /// The line that was read last, and the two before it.
    places: [Option<Place>; 3],
    /// The line that was read last does not fit the one before it. The next tells which is bad.
    unfit: bool,
    /// The furthest that the clock had come.
    latest: Timestamp,
}

impl<'a> Walk<'a> {
    fn new(expected: &'a Expected) -> Self {
        let verified = Verified {
            begins: 0,
            records: 0,
            head: String::new(),
            first: None,
            last: None,
            set_back: None,
            covered: None,
            signed: None,
            trust: super::Trust::Unsigned,
            unproven: Vec::new(),
            keyless: None,
            files: Vec::new(),
        };
        let keys = Keys::new(&expected.keys);
        let (head, tree) = (Head::default(), Tree::default());
        let (places, latest) = ([None, None, None], Timestamp::MIN);
        Self {
            expected,
            keys,
            head,
            tree,
            verified,
            places,
            unfit: false,
            latest,
        }
    }

    /// Comes to the next line.
    fn enter(&mut self, lines: &Lines) {
        self.places.rotate_right(1);
        let place = Place {
            path: Arc::clone(&lines.path),
            line: lines.number,
            seq: self.head.seq,
        };
        self.places[0] = Some(place);
    }

    fn step(&mut self, line: &[u8]) -> Result<(), VerifyError> {
        let read = Link::of(line);
        if self.unfit {
            let fits =
                read.is_ok_and(|next| next.seq == self.head.seq && next.prev == self.head.hash);
            return Err(if fits {
                self.broken(2, Fault::Changed)
            } else {
                self.broken(1, Fault::Unchained)
            });
        }
        let Ok(about) = read else {
            return Err(self.broken(0, Fault::Foreign));
        };
        if self.verified.records == 0 && about.seq != 0 && about.event == Kind::Segment {
            self.begin(&about, line)?;
        }
        if about.seq != self.head.seq {
            return Err(self.broken(0, Fault::Moved { found: about.seq }));
        }
        self.unfit = about.prev != self.head.hash;
        if self.unfit && self.verified.records == 0 {
            // Nothing is before the first line.
            return Err(self.broken(0, Fault::Unchained));
        }
        if self.places[0].as_ref().is_some_and(|place| place.line == 1) {
            self.file();
        }
        self.special(&about, line)?;
        self.pass(&about, line)
    }

    /// What the log says of itself.
    fn special(&mut self, about: &Link<'_>, line: &[u8]) -> Result<(), VerifyError> {
        if self.unfit
            || !matches!(
                about.event,
                Kind::Head | Kind::Key | Kind::KeyRemoved | Kind::Segment
            )
        {
            return Ok(());
        }
        let place = self.place(0);
        let record: Record =
            serde_json::from_slice(line).map_err(|_| place.broken(Fault::Foreign))?;
        let at = record.at;
        let checked = match record.event {
            Event::Head(head) => self.keys.head(head, at, &self.tree, &place),
            Event::Key(change) => self.keys.change(&change, at, &self.tree, &place),
            Event::KeyRemoved(removal) => self.keys.removal(&removal, at, &self.tree),
            Event::Segment(start) => self.keys.segment(&start, &self.tree),
            _ => Err(Fault::Foreign),
        };
        checked.map_err(|fault| place.broken(fault))
    }

    fn time(&mut self, at: Timestamp) {
        let Verified {
            first,
            last,
            set_back,
            ..
        } = &mut self.verified;
        first.get_or_insert(at);
        *last = Some(at);
        let by = self.latest.duration_since(at);
        if by > set_back.map_or(ORDER, |furthest| furthest.by) {
            *set_back = Some(ClockSetBack {
                seq: self.head.seq,
                by,
            });
        }
        self.latest = self.latest.max(at);
    }

    fn pass(&mut self, about: &Link<'_>, line: &[u8]) -> Result<(), VerifyError> {
        self.time(about.at);
        self.head = Head::behind(self.head.seq, line);
        self.tree.push(leaf(line));
        self.verified.records = self.verified.records.saturating_add(1);
        self.cover()
    }

    /// The first line is not that of the log, but of a later file.
    fn begin(&mut self, about: &Link<'_>, line: &[u8]) -> Result<(), VerifyError> {
        let foreign = || self.broken(0, Fault::Foreign);
        let Ok(Record {
            event: Event::Segment(start),
            ..
        }) = serde_json::from_slice(line)
        else {
            return Err(foreign());
        };
        let tree = Tree::of(about.seq, &start.frontier).ok_or_else(foreign)?;
        let here = Anchor {
            seq: about.seq,
            prev: about.prev.clone().into_owned(),
        };
        match &self.expected.anchor {
            None => return Err(VerifyError::Begins(here)),
            Some(anchor) if *anchor != here => return Err(VerifyError::Anchor(anchor.clone())),
            Some(_) => {}
        }
        self.head = Head {
            seq: here.seq,
            hash: here.prev,
        };
        (self.tree, self.verified.begins, self.verified.covered) = (tree, here.seq, None);
        if let Some(place) = &mut self.places[0] {
            place.seq = here.seq;
        }
        self.keys.begin(&start, here.seq);
        match &self.expected.head {
            Some(KeptHead::Signed(kept)) if kept.head.size < here.seq => Err(VerifyError::Before {
                size: kept.head.size,
                begins: here.seq,
            }),
            _ => self.cover(),
        }
    }

    /// A file begins here.
    fn file(&mut self) {
        let anchor = Anchor {
            seq: self.head.seq,
            prev: self.head.hash.clone(),
        };
        self.verified
            .files
            .push((self.place(0).path.to_path_buf(), anchor));
    }

    /// Looks whether what was kept is of this place.
    fn cover(&mut self) -> Result<(), VerifyError> {
        let anchor = self.expected.anchor.as_ref();
        if anchor.is_some_and(|anchor| anchor.seq == self.head.seq && anchor.prev != self.head.hash)
        {
            return Err(VerifyError::Anchor(anchor.cloned().unwrap_or(Anchor {
                seq: 0,
                prev: String::new(),
            })));
        }
        match &self.expected.head {
            Some(KeptHead::Digest(kept)) if kept.eq_ignore_ascii_case(&self.head.hash) => {
                self.verified.covered = Some(self.head.seq);
            }
            Some(KeptHead::Signed(kept)) if kept.head.size == self.tree.size() && !self.unfit => {
                if !kept.head.root.eq_ignore_ascii_case(&hex(&self.tree.root())) {
                    let since = self.keys.since();
                    return Err(VerifyError::Fork {
                        size: kept.head.size,
                        since,
                    });
                }
                self.verified.covered = Some(self.head.seq);
            }
            _ => {}
        }
        Ok(())
    }

    fn end(mut self) -> Result<Verified, VerifyError> {
        let records = self.head.seq;
        if self.unfit {
            // The head that was kept proves the last line, if it is its digest.
            let proven = self.verified.covered == Some(records);
            return Err(self.broken(1, if proven { Fault::Changed } else { Fault::Unfit }));
        }
        if let Some(anchor) = self
            .expected
            .anchor
            .as_ref()
            .filter(|anchor| anchor.seq > records)
        {
            return Err(VerifyError::Anchor(anchor.clone()));
        }
        match &self.expected.head {
            Some(KeptHead::Digest(head)) if self.verified.covered.is_none() => {
                return Err(VerifyError::Cut {
                    head: head.clone(),
                    records,
                });
            }
            Some(KeptHead::Signed(kept)) if self.verified.covered.is_none() => {
                return Err(VerifyError::Short {
                    size: kept.head.size,
                    records,
                });
            }
            Some(KeptHead::Signed(kept)) => self.keys.kept(kept)?,
            _ => {}
        }
        self.verified.head = self.head.hash;
        self.keys.end(&mut self.verified)?;
        Ok(self.verified)
    }

    /// The line that was read so many lines ago.
    fn place(&self, ago: usize) -> Place {
        let place = self.places.get(ago).cloned().flatten();
        place.unwrap_or_else(|| Place {
            path: Path::new("").into(),
            line: 0,
            seq: 0,
        })
    }

    fn broken(&self, ago: usize, fault: Fault) -> VerifyError {
        self.place(ago).broken(fault)
    }

    fn unreadable(&self, error: ReadError, lines: &Lines) -> VerifyError {
        match error {
            // What is unfit is further ahead in the log.
            ReadError::Line { .. } if self.unfit => self.broken(1, Fault::Unchained),
            ReadError::Line { fault, .. } => self.broken(0, fault),
            error @ ReadError::File { .. } => unreadable(error, &lines.path),
        }
    }
}
