//! The writer of a log: appends whole lines durably, and begins another file when the active one is full.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use gateway_files::sync_parent;
use jiff::Timestamp;

use crate::active_file::{open_exclusive, rotate};
use crate::batch::Batch;
use crate::compress::Compressor;
use crate::disk::Disk;
use crate::pending::{self, Pending};
use crate::recovery::{self, Recovered};
use crate::segment::{self, Segment};
use crate::settings::Settings;
use crate::state::LogState;
use crate::work::{MAX_WRITE, Work};

/// After a failed rotation, the number of bytes by which the file grows before the next attempt.
const RETRY_ROTATION: u64 = 1 << 20;

/// Appends to the log.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    file: File,
    disk: Box<dyn Disk>,
    /// The length of the file's whole lines, in bytes.
    length: u64,
    /// The number of the file's first line.
    first_seq: u64,
    state: LogState,
    /// Set if a failed write may have left bytes after `length`.
    needs_truncate: bool,
    /// Set if the file's name may not be durable yet.
    needs_folder_sync: bool,
    pending: VecDeque<Pending>,
    /// Durable lines that the observer receives with the next ones.
    unobserved: Vec<u8>,
    settings: Settings,
    /// The length at which the next rotation is tried, in bytes.
    rotate_at: u64,
    compressor: Compressor,
}

impl Writer {
    /// Opens the log at `path`, locks it, and repairs what the previous run left.
    pub(crate) fn open(
        path: &Path,
        settings: Settings,
        disk: Box<dyn Disk>,
    ) -> io::Result<(Self, Recovered)> {
        let file = open_exclusive(path)?;
        let found = file.metadata()?.len();
        let end = recovery::read(path, &file, found, Timestamp::now())?;
        let pending = pending::after_start(settings.signing.as_ref(), &end.state, end.outcomes)?;
        if end.length < found {
            disk.truncate(&file, end.length)?;
        }
        file.sync_all()?;
        sync_parent(path)?;
        let mut writer = Self {
            path: path.to_owned(),
            file,
            disk,
            length: end.length,
            first_seq: end.first_seq,
            state: end.state,
            needs_truncate: false,
            needs_folder_sync: false,
            pending,
            unobserved: Vec::new(),
            rotate_at: settings.segment_bytes,
            settings,
            compressor: Compressor::new(path),
        };
        let unknown_outcomes = writer.pending_outcomes();
        // A full disk may have space later. Until then nothing else is written.
        let _ = writer.write_pending();
        if !segment::closed(path)?.is_empty() {
            writer.compressor.wake();
        }
        let recovered = Recovered {
            truncated_bytes: found.saturating_sub(end.length),
            unknown_outcomes,
            unwritten_outcomes: writer.pending_outcomes(),
        };
        Ok((writer, recovered))
    }

    /// Writes the lines of all `works` durably with one sync, or none of them. A record that makes no line does not
    /// affect the others: each has its own result.
    pub(crate) fn append(&mut self, works: &[Work]) -> Vec<io::Result<()>> {
        let ready = self.write_pending().map(|()| self.rotate_if_full());
        let mut batch = Batch::new(self.state.clone(), self.settings.signing.clone());
        let added: Vec<_> = works.iter().map(|work| batch.add(work)).collect();
        match ready.and_then(|()| self.write(&batch.lines, batch.state)) {
            Ok(()) => {
                self.settings.signing = batch.signing;
                added
            }
            Err(error) => added
                .into_iter()
                .map(|added| added.and_then(|()| Err(copy_of(&error))))
                .collect(),
        }
    }

    /// The number of outcomes that are not written yet.
    fn pending_outcomes(&self) -> u64 {
        let is_outcome = |pending: &&Pending| matches!(pending, Pending::Outcome(_));
        self.pending.iter().filter(is_outcome).count() as u64
    }

    /// Writes the pending records, in writes of bounded size.
    fn write_pending(&mut self) -> io::Result<()> {
        while !self.pending.is_empty() {
            let (mut state, mut lines, mut count) = (self.state.clone(), Vec::new(), 0);
            for pending in &self.pending {
                pending.add_to(self.settings.signing.as_ref(), &mut state, &mut lines)?;
                count += 1;
                if lines.len() >= MAX_WRITE {
                    break;
                }
            }
            self.write(&lines, state)?;
            self.pending.drain(..count);
        }
        Ok(())
    }

    /// Writes `lines` durably, after which the log is in `state`.
    fn write(&mut self, lines: &[u8], state: LogState) -> io::Result<()> {
        self.repair()?;
        let written = self.disk.write(&self.file, lines, self.length);
        let written = written.and_then(|()| self.disk.sync(&self.file));
        if written.is_err() {
            self.needs_truncate = true;
            // If this fails too, the next write starts with it.
            let _ = self.repair();
            return written;
        }
        self.length = self.length.saturating_add(lines.len() as u64);
        self.state = state;
        self.notify_observer(lines);
        Ok(())
    }

    /// Makes the file's name durable and removes what a failed write left.
    fn repair(&mut self) -> io::Result<()> {
        if self.needs_folder_sync {
            sync_parent(&self.path)?;
            self.needs_folder_sync = false;
        }
        if self.needs_truncate {
            self.disk.truncate(&self.file, self.length)?;
            self.needs_truncate = false;
        }
        Ok(())
    }

    fn notify_observer(&mut self, lines: &[u8]) {
        let unobserved = std::mem::take(&mut self.unobserved);
        if let Some(observer) = &self.settings.observer {
            for lines in [unobserved.as_slice(), lines] {
                if !lines.is_empty() {
                    observer.durable(lines);
                }
            }
        }
    }

    /// Begins another file if this one is full. If that fails, this one grows for now.
    fn rotate_if_full(&mut self) {
        if self.length >= self.rotate_at && self.repair().and_then(|()| self.rotate()).is_err() {
            self.rotate_at = self.length.saturating_add(RETRY_ROTATION);
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        let (mut state, mut line) = (self.state.clone(), Vec::new());
        state.add_segment_start(Timestamp::now(), &mut line)?;
        let closed = Segment::new(&self.path, self.first_seq);
        self.file = rotate(&self.path, &closed.plain, &line)?;
        // From here on the new file is the log, whatever fails. Its name may not be durable yet, so the next write starts
        // by syncing the folder.
        (self.first_seq, self.length) = (self.state.head.seq, line.len() as u64);
        (self.state, self.needs_folder_sync) = (state, true);
        self.rotate_at = self.settings.segment_bytes;
        self.unobserved.extend(line);
        self.compressor.wake();
        self.repair()
    }
}

/// The same error again, for each of those that waited for the same write.
fn copy_of(error: &io::Error) -> io::Error {
    if let Some(code) = error.raw_os_error() {
        return io::Error::from_raw_os_error(code);
    }
    let cause = std::error::Error::source(error);
    let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
    io::Error::new(error.kind(), format!("{error}{cause}"))
}
