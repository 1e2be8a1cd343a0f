use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use gateway_core::Record;

use crate::chain::{Head, LONGEST, Link};
use crate::dangling;

/// What the last run left, and was put in order when the log was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// How many bytes of a line that a crash cut short were removed.
    pub cut: u64,
    /// How many intents had no outcome, and were given one with the code `unknown`.
    pub unknown: u64,
}

/// The end of the file, where whole lines are added.
#[derive(Debug)]
pub(crate) struct Tail {
    file: File,
    /// Up to here the file holds whole records.
    end: u64,
    head: Head,
    /// Whether something may stand behind `end`.
    torn: bool,
}

impl Tail {
    /// Opens the file for itself alone, and puts in order what the last run left.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Recovered)> {
        let mut file = open_alone(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        let (end, head) = whole(&file, length)?;
        if end < length {
            file.set_len(end)?;
        }
        file.sync_all()?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        let mut tail = Self { file, end, head, torn: false };
        let unknown = tail.close_dangling()?;
        Ok((tail, Recovered { cut: length.saturating_sub(end), unknown }))
    }

    fn close_dangling(&mut self) -> io::Result<u64> {
        let outcomes = dangling::outcomes(&self.file, self.end, jiff::Timestamp::now())?;
        let count = outcomes.len() as u64;
        let records: Vec<_> = outcomes.into_iter().map(|record| Some(Box::new(record))).collect();
        self.append(&records).into_iter().collect::<io::Result<()>>()?;
        Ok(count)
    }

    /// All of `records` durably with one fsync, or none: what a failed write left behind is cut off again. A record that
    /// makes no line spoils no other; each has its own result.
    pub(crate) fn append(&mut self, records: &[Option<Box<Record>>]) -> Vec<io::Result<()>> {
        let mut head = self.head.clone();
        let mut lines = Vec::new();
        let made: Vec<_> = records
            .iter()
            .map(|record| record.as_ref().map_or(Ok(()), |record| head.extend(record, &mut lines)))
            .collect();
        match self.write(&lines, head) {
            Ok(()) => made,
            Err(error) => made.into_iter().map(|made| made.and_then(|()| Err(again(&error)))).collect(),
        }
    }

    fn write(&mut self, lines: &[u8], head: Head) -> io::Result<()> {
        self.mend()?;
        let written = self.file.write_all_at(lines, self.end).and_then(|()| self.file.sync_data());
        if written.is_err() {
            self.torn = true;
            // Where this fails, too, the next write begins with it.
            let _ = self.mend();
            return written;
        }
        self.end = self.end.saturating_add(lines.len() as u64);
        self.head = head;
        Ok(())
    }

    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.end)?;
            self.torn = false;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Tail {
    pub(crate) fn of(file: File) -> Self {
        Self { file, end: 0, head: Head::origin(), torn: false }
    }
}

fn open_alone(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    let file = options.open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.nlink() != 1 {
        return Err(invalid("not a regular file with one name"));
    }
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| io::Error::new(io::ErrorKind::AlreadyExists, "another gateway writes to it"))?;
    Ok(file)
}

/// Up to where the file holds whole lines, and where their chain goes on. What stands behind them must be the beginning
/// of the next: nobody's file is cut because its name was put into a configuration by mistake.
fn whole(file: &File, length: u64) -> io::Result<(u64, Head)> {
    let window = length.min(2 * (LONGEST as u64 + 1));
    let start = length - window;
    let mut bytes = vec![0; usize::try_from(window).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, start)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let (lines, part) = bytes.split_at(whole);
    let head = match lines.split_last() {
        Some((_, lines)) => last(lines, start == 0)?,
        None if start == 0 => Head::origin(),
        None => return Err(foreign()),
    };
    // A file system may have made the file longer before it wrote what belongs there.
    let part =
        part.iter().rposition(|byte| *byte != 0).and_then(|last| part.get(..=last)).unwrap_or_default();
    if head.may_begin(part) { Ok((start + whole as u64, head)) } else { Err(foreign()) }
}

/// The head behind the last of `lines`, which may begin within a line unless they are `all` that there is.
fn last(lines: &[u8], all: bool) -> io::Result<Head> {
    let line = match lines.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => lines.get(end + 1..).unwrap_or_default(),
        None if all => lines,
        None => return Err(foreign()),
    };
    Link::of(line).map(|link| Head::behind(link.seq, line)).map_err(|_| foreign())
}

fn foreign() -> io::Error {
    invalid("its end is not that of a chained log: move the file away, and a new log is begun")
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// The same error for each that waited for the same write.
fn again(error: &io::Error) -> io::Error {
    let same = || io::Error::new(error.kind(), error.to_string());
    error.raw_os_error().map_or_else(same, io::Error::from_raw_os_error)
}
