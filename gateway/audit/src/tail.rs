use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use gateway_core::Record;
use jiff::Timestamp;

use crate::compress::Compressor;
use crate::disk::{Disk, open_alone, turn};
use crate::key::SigningKey;
use crate::log::{Settings, Signing};
use crate::queue::Work;
use crate::recovery::{self, Found, invalid};
use crate::seal::State;
use crate::segment::{self, Segment, sync_folder};

/// The most that is written at once, in bytes, but for the record that reaches over it.
pub(crate) const BATCH: usize = 4 << 20;
/// How much longer a file becomes before it is tried again to begin another one, in bytes.
const AGAIN: u64 = 1 << 20;

/// What the last run left, and was put in order when the log was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// How many bytes of a line that a crash cut short were removed.
    pub truncated_bytes: u64,
    /// How many intents had no outcome, and are given one with the code `unknown`.
    pub unknown_outcomes: u64,
    /// How many of these outcomes the disk has not taken yet. Until it does, every other record is refused.
    pub unwritten_outcomes: u64,
}

/// What the log has to say before it takes anything else.
#[derive(Debug)]
enum Owed {
    Outcome(Box<Record>),
    Key,
}

/// The end of the log, where whole lines are added.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    disk: Box<dyn Disk>,
    /// Up to here the file holds whole records.
    end: u64,
    /// The place of the file's first line.
    first: u64,
    state: State,
    /// Whether something may stand behind `end`.
    torn: bool,
    /// Whether the file may not outlast a crash under its name.
    nameless: bool,
    owed: VecDeque<Owed>,
    /// Durable lines that the observer is told with the next ones.
    untold: Vec<u8>,
    settings: Settings,
    /// The length at which another file is begun.
    full: u64,
    compressor: Compressor,
}

impl Tail {
    /// Opens the log for itself alone, and puts in order what the last run left.
    pub(crate) fn open(path: &Path, settings: Settings) -> io::Result<(Self, Recovered)> {
        let file = open_alone(path)?;
        let length = file.metadata()?.len();
        let Found {
            state,
            end,
            first,
            outcomes,
        } = recovery::find(path, &file, length, Timestamp::now())?;
        let owed = owed(&settings, &state, outcomes)?;
        if end < length {
            file.set_len(end)?;
        }
        file.sync_all()?;
        sync_folder(path)?;
        let mut tail = Self::of(path, Box::new(file), settings);
        (tail.end, tail.first, tail.state, tail.owed) = (end, first, state, owed);
        let unknown = tail.outcomes();
        // A full disk may have room later: nothing else is written before that.
        let _ = tail.settle();
        if !segment::closed(path)?.is_empty() {
            tail.compressor.wake();
        }
        let recovered = Recovered {
            truncated_bytes: length.saturating_sub(end),
            unknown_outcomes: unknown,
            unwritten_outcomes: tail.outcomes(),
        };
        Ok((tail, recovered))
    }

    /// The end of an empty log.
    pub(crate) fn of(path: &Path, disk: Box<dyn Disk>, settings: Settings) -> Self {
        Self {
            path: path.to_owned(),
            disk,
            end: 0,
            first: 0,
            state: State::default(),
            torn: false,
            nameless: false,
            owed: VecDeque::new(),
            untold: Vec::new(),
            full: settings.segment_bytes,
            compressor: Compressor::of(path),
            settings,
        }
    }

    /// How many outcomes are owed.
    fn outcomes(&self) -> u64 {
        self.owed
            .iter()
            .filter(|owed| matches!(owed, Owed::Outcome(_)))
            .count() as u64
    }

    /// All of `works` durably with one fsync, or none: what a failed write left behind is cut off again. A record that makes
    /// no line spoils no other; each has its own result.
    pub(crate) fn append(&mut self, works: &[Work]) -> Vec<io::Result<()>> {
        let mut lines = Vec::new();
        let mut state = self.state.clone();
        let ready = self.settle().map(|()| {
            self.turn_when_full();
            state = self.state.clone();
        });
        let mut signing = self.settings.signing.clone();
        let made: Vec<_> = works
            .iter()
            .map(|work| add(work, &mut signing, &mut state, &mut lines))
            .collect();
        match ready.and_then(|()| self.write(&lines, state)) {
            Ok(()) => {
                self.settings.signing = signing;
                made
            }
            Err(error) => made
                .into_iter()
                .map(|made| made.and_then(|()| Err(again(&error))))
                .collect(),
        }
    }

    /// Writes what is owed, in pieces.
    fn settle(&mut self) -> io::Result<()> {
        while !self.owed.is_empty() {
            let (mut state, mut lines, mut paid) = (self.state.clone(), Vec::new(), 0);
            for owed in &self.owed {
                self.pay(owed, &mut state, &mut lines)?;
                paid += 1;
                if lines.len() >= BATCH {
                    break;
                }
            }
            self.write(&lines, state)?;
            self.owed.drain(..paid);
        }
        Ok(())
    }

    fn pay(&self, owed: &Owed, state: &mut State, lines: &mut Vec<u8>) -> io::Result<()> {
        match (owed, &self.settings.signing) {
            (Owed::Outcome(record), _) => state.extend(&serde_json::to_vec(record)?, lines),
            (Owed::Key, Some(Signing { key, previous, .. })) => {
                state.introduce(key.public(), previous.as_deref(), Timestamp::now(), lines)
            }
            (Owed::Key, None) => state.dismiss(None, Timestamp::now(), lines),
        }
    }

    fn write(&mut self, lines: &[u8], state: State) -> io::Result<()> {
        self.mend()?;
        let written = self
            .disk
            .write(lines, self.end)
            .and_then(|()| self.disk.sync());
        if written.is_err() {
            self.torn = true;
            // Where this fails, too, the next write begins with it.
            let _ = self.mend();
            return written;
        }
        self.end = self.end.saturating_add(lines.len() as u64);
        self.state = state;
        self.tell(lines);
        Ok(())
    }

    fn tell(&mut self, lines: &[u8]) {
        let untold = std::mem::take(&mut self.untold);
        if let Some(observer) = &self.settings.observer {
            let told = [untold.as_slice(), lines]
                .into_iter()
                .filter(|lines| !lines.is_empty());
            told.for_each(|lines| observer.durable(lines));
        }
    }

    fn mend(&mut self) -> io::Result<()> {
        if self.nameless {
            sync_folder(&self.path)?;
            self.nameless = false;
        }
        if self.torn {
            self.disk.cut(self.end)?;
            self.torn = false;
        }
        Ok(())
    }

    /// Begins another file where this one is long enough. Where that fails, it becomes longer for now.
    fn turn_when_full(&mut self) {
        if self.end >= self.full && self.mend().and_then(|()| self.turn()).is_err() {
            self.full = self.end.saturating_add(AGAIN);
        }
    }

    fn turn(&mut self) -> io::Result<()> {
        let (mut state, mut line) = (self.state.clone(), Vec::new());
        state.begin_segment(Timestamp::now(), &mut line)?;
        let closed = Segment::of(&self.path, self.first);
        self.disk = Box::new(turn(&self.path, &closed.plain, &line)?);
        // From here on the other file is the log, whatever fails.
        (self.first, self.end) = (self.state.head.seq, line.len() as u64);
        self.full = self.settings.segment_bytes;
        // It may not outlast a crash before the next write, which begins with its name.
        (self.state, self.nameless) = (state, true);
        self.untold.extend(line);
        self.compressor.wake();
        self.mend()
    }
}

#[cfg(test)]
impl Tail {
    /// Has it append to `disk`, which is the same file.
    pub(crate) fn replace(&mut self, disk: Box<dyn Disk>) {
        let file = std::mem::replace(&mut self.disk, disk);
        // The lock goes with it.
        drop(file);
    }
}

/// Adds what is asked for, signed by `signing`.
fn add(
    work: &Work,
    signing: &mut Option<Signing>,
    state: &mut State,
    lines: &mut Vec<u8>,
) -> io::Result<()> {
    let due = match work {
        Work::Record(body) => {
            state.extend(body, lines)?;
            signing
                .as_ref()
                .is_some_and(|signing| state.unsigned >= signing.records.get())
        }
        Work::Seal => state.unsigned > 0,
        Work::Keys {
            signing: next,
            changed,
        } => {
            let other = turn_over(signing.as_ref(), next.as_ref(), state, lines)?;
            changed.store(other, Ordering::Relaxed);
            signing.clone_from(next);
            false
        }
        Work::Probe => false,
    };
    match signing {
        Some(signing) if due => state.sign(&signing.key, Timestamp::now(), lines),
        _ => Ok(()),
    }
}

/// Has `next` sign instead of `now`, which signs what stood before, and the change. Tells whether that is another key.
fn turn_over(
    now: Option<&Signing>,
    next: Option<&Signing>,
    state: &mut State,
    lines: &mut Vec<u8>,
) -> io::Result<bool> {
    let at = Timestamp::now();
    if state.key.as_ref() == next.map(|next| next.key.public()) {
        return Ok(false);
    }
    if let Some(now) = now.filter(|_| state.unsigned > 0) {
        state.sign(&now.key, at, lines)?;
    }
    let old = now.map(|now| &*now.key);
    match next {
        Some(next) => state.introduce(
            next.key.public(),
            old.or(next.previous.as_deref()),
            at,
            lines,
        )?,
        None => state.dismiss(old, at, lines)?,
    }
    Ok(true)
}

/// What the log has to say first: the outcomes that nobody wrote, and the key where it is another one or there is none.
fn owed(settings: &Settings, state: &State, outcomes: Vec<Record>) -> io::Result<VecDeque<Owed>> {
    let mut owed: VecDeque<_> = outcomes
        .into_iter()
        .map(Box::new)
        .map(Owed::Outcome)
        .collect();
    let key = settings
        .signing
        .as_ref()
        .map(|signing| signing.key.public());
    if state.key.as_ref() != key {
        let previous = settings
            .signing
            .as_ref()
            .and_then(|signing| signing.previous.as_deref());
        let wrong = |previous: &SigningKey| state.key.as_ref() != Some(previous.public());
        if state.key.is_some() && previous.is_some_and(wrong) {
            return Err(invalid(
                "the previous key that was given is not the one that signed it",
            ));
        }
        owed.push_back(Owed::Key);
    }
    Ok(owed)
}

/// The same error for each that waited for the same write.
fn again(error: &io::Error) -> io::Error {
    let same = || io::Error::new(error.kind(), error.to_string());
    error
        .raw_os_error()
        .map_or_else(same, io::Error::from_raw_os_error)
}
