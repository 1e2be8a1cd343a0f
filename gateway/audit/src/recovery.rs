//! What the last run left: where the log goes on, and intents whose outcome nobody wrote.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use gateway_core::{Event, Outcome, Record, RequestId};
use serde::Deserialize;

use crate::chain::{Kind, LONGEST, Link, hex};
use crate::key::PublicKey;
use crate::merkle::Tree;
use crate::seal::State;
use crate::segment::{self, Segment};

/// How far back from the end an intent is looked for, in bytes. Further back than any request lasts.
const BACK: u64 = 64 << 20;

/// What was found.
pub(crate) struct Found {
    /// What the next line depends on.
    pub(crate) state: State,
    /// Up to here the active file holds whole lines.
    pub(crate) end: u64,
    /// The place of its first line.
    pub(crate) first: u64,
    /// An outcome `unknown` for each intent that has none, in their order.
    pub(crate) outcomes: Vec<Record>,
}

/// Reads the active file, of `length` bytes, and as much of the closed segments as may hold open intents.
pub(crate) fn find(
    log: &Path,
    mut file: &File,
    length: u64,
    now: jiff::Timestamp,
) -> io::Result<Found> {
    let closed = segment::closed(log)?;
    if length == 0 && !closed.is_empty() {
        return Err(invalid(
            "closed segments of another log lie beside it: move them away, too",
        ));
    }
    let mut open = Open::default();
    if length < BACK {
        before(&closed, BACK - length, &mut open)?;
    }
    file.seek(SeekFrom::Start(0))?;
    let mut walk = Walk::default();
    walk.all(
        &mut BufReader::with_capacity(1 << 16, file.take(length)),
        length,
        &mut open,
    )?;
    let Walk {
        state, end, first, ..
    } = walk;
    if state.tree.size() != state.head.seq {
        return Err(invalid(
            "lines of it are missing, or there more than once: see `audit verify`, move it away",
        ));
    }
    Ok(Found {
        state,
        end,
        first: first.unwrap_or(0),
        outcomes: open.outcomes(now),
    })
}

/// Takes the steps of the newest closed segments, of at least so many bytes where there are as many.
fn before(closed: &[Segment], bytes: u64, open: &mut Open) -> io::Result<()> {
    let mut missing = bytes;
    let mut newest = 0;
    for segment in closed.iter().rev() {
        if missing == 0 {
            break;
        }
        missing = missing.saturating_sub(segment.bytes()?);
        newest += 1;
    }
    for segment in closed.iter().skip(closed.len() - newest) {
        let (_, mut lines) = segment.open()?;
        let mut line = Vec::new();
        while read(&mut lines, &mut line)? != 0 {
            open.step(&line);
        }
    }
    Ok(())
}

/// Reads a line with its end; more than a line may have is read as several.
fn read(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    lines.take(LONGEST as u64 + 1).read_until(b'\n', line)
}

/// The way through the active file.
#[derive(Default)]
struct Walk {
    state: State,
    end: u64,
    first: Option<u64>,
}

impl Walk {
    fn all(&mut self, lines: &mut impl BufRead, length: u64, open: &mut Open) -> io::Result<()> {
        let mut line = Vec::new();
        while read(lines, &mut line)? != 0 {
            if line.pop_if(|last| *last == b'\n').is_none() {
                return self.rest(&mut line, lines);
            }
            self.end = self.end.saturating_add(line.len() as u64 + 1);
            self.step(&line)?;
            if length - self.end <= BACK {
                open.step(&line);
            }
        }
        Ok(())
    }

    /// What stands behind the last whole line must be the beginning of the next: nobody's file is cut because its name was
    /// put into a configuration by mistake. A file system may have made the file longer before it wrote what belongs there.
    fn rest(&self, part: &mut Vec<u8>, lines: &mut impl BufRead) -> io::Result<()> {
        let written = part
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        part.truncate(written);
        let empty = lines.bytes().all(|byte| matches!(byte, Ok(0)));
        if empty && self.state.head.may_begin(part) {
            Ok(())
        } else {
            Err(foreign())
        }
    }

    fn step(&mut self, line: &[u8]) -> io::Result<()> {
        let about = Link::of(line).map_err(|_| foreign())?;
        if self.first.is_none() {
            self.first = Some(about.seq);
            self.begin(&about, line)?;
        }
        match about.event {
            Kind::Head => self.check(line)?,
            Kind::Key => self.key(line)?,
            Kind::KeyRemoved => self.state.key = None,
            _ => {}
        }
        let seq = about.seq;
        self.state.pass(line);
        self.state.head.seq = seq.saturating_add(1);
        if about.event == Kind::Head {
            self.state.unsigned = 0;
        }
        Ok(())
    }

    /// The first line of a file that is not the first tells of the tree so far.
    fn begin(&mut self, about: &Link<'_>, line: &[u8]) -> io::Result<()> {
        if about.seq == 0 {
            return Ok(());
        }
        let Ok(Record {
            event: Event::Segment(start),
            ..
        }) = serde_json::from_slice(line)
        else {
            return Err(invalid(
                "its beginning is missing: see `audit verify`, move it away",
            ));
        };
        self.state.tree = Tree::of(about.seq, &start.frontier).ok_or_else(foreign)?;
        self.state.key = start.public_key.as_deref().and_then(PublicKey::decode);
        Ok(())
    }

    /// Nothing is signed that contradicts what was signed before.
    fn check(&self, line: &[u8]) -> io::Result<()> {
        let record: Record = serde_json::from_slice(line).map_err(|_| foreign())?;
        let Event::Head(head) = record.event else {
            return Err(foreign());
        };
        if head.size == self.state.tree.size() && head.root == hex(&self.state.tree.root()) {
            return Ok(());
        }
        Err(invalid(
            "it is not what was signed: see `audit verify`, move it away",
        ))
    }

    fn key(&mut self, line: &[u8]) -> io::Result<()> {
        let record: Record = serde_json::from_slice(line).map_err(|_| foreign())?;
        let Event::Key(change) = record.event else {
            return Err(foreign());
        };
        self.state.key = PublicKey::decode(&change.public_key);
        Ok(())
    }
}

/// Intents without an outcome.
#[derive(Default)]
struct Open {
    place: u64,
    intents: HashMap<RequestId, (u64, Vec<u8>)>,
}

/// What is read of every line; the rest only of intents that dangle.
#[derive(Deserialize)]
struct Step {
    request_id: RequestId,
    event: Kind,
}

impl Open {
    /// What is no whole line, such as the first where it begins further back, is no step.
    fn step(&mut self, line: &[u8]) {
        self.place = self.place.saturating_add(1);
        match serde_json::from_slice(line) {
            Ok(Step {
                request_id,
                event: Kind::Intent,
            }) => {
                self.intents.insert(request_id, (self.place, line.to_vec()));
            }
            Ok(Step {
                request_id,
                event: Kind::Outcome,
            }) => drop(self.intents.remove(&request_id)),
            _ => {}
        }
    }

    fn outcomes(self, now: jiff::Timestamp) -> Vec<Record> {
        let mut open: Vec<_> = self.intents.into_values().collect();
        open.sort_unstable_by_key(|(place, _)| *place);
        open.iter()
            .filter_map(|(_, line)| unknown(serde_json::from_slice(line).ok()?, now))
            .collect()
    }
}

/// Status 0 and the code `unknown`: nobody was answered, and whether an archive was made, only the store can tell.
fn unknown(intent: Record, now: jiff::Timestamp) -> Option<Record> {
    let Event::Intent {
        action,
        user,
        groups,
        credential,
        issuer,
        source_address,
        reason,
        target,
        verdicts,
        plan,
        checkpoint_id,
        ..
    } = intent.event
    else {
        return None;
    };
    let outcome = Outcome {
        action: Some(action),
        user,
        groups,
        credential: Some(credential),
        issuer: Some(issuer),
        source_address,
        reason,
        target: Some(target),
        code: Some("unknown".to_owned()),
        verdicts,
        hidden: plan.hide.clone(),
        plan,
        checkpoint_id: Some(checkpoint_id),
        ..Outcome::default()
    };
    Some(Record {
        schema: Record::SCHEMA,
        at: now,
        event: Event::Outcome(Box::new(outcome)),
        ..intent
    })
}

fn foreign() -> io::Error {
    invalid("it is no chained log: move the file away, and a new log is begun")
}

pub(crate) fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
