//! Reads the lines of a log in order, across its files. One line is in memory at a time.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chain::MAX_LINE;
use crate::fault::Fault;
use crate::segment::{self, Segment};

/// Why a part of a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file cannot be read. Nothing after this place is read.
    #[error("cannot read `{}`", .path.display())]
    File {
        /// The file's path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A line is not a record. Reading continues with the next line.
    #[error("`{}`, line {line}: {fault}", .path.display())]
    Line {
        /// The path of the file that holds it.
        path: PathBuf,
        /// Its number in that file, from 1.
        line: u64,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// A file of a log.
pub(crate) enum Source {
    Closed(Segment),
    Open(PathBuf, Box<dyn BufRead + Send>),
}

/// Reads line by line.
pub(crate) struct Lines {
    sources: std::vec::IntoIter<Source>,
    current: Option<Box<dyn BufRead + Send>>,
    /// The file of the last line.
    pub(crate) path: Arc<Path>,
    /// The number of the last line in that file, from 1.
    pub(crate) number: u64,
}

impl Lines {
    /// Reads the log at `path`: its closed segments, and the active file as far as it is written now. If `path` is a
    /// compressed segment, that file only.
    pub(crate) fn open(path: &Path) -> Result<Self, ReadError> {
        let sources = sources(path).map_err(|source| ReadError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::of(path, sources))
    }

    /// Reads `sources`, the files of the log at `path`.
    pub(crate) fn of(path: &Path, sources: Vec<Source>) -> Self {
        Self {
            sources: sources.into_iter(),
            current: None,
            path: path.into(),
            number: 0,
        }
    }

    /// Reads the next line without its line feed into `line`; `false` at the end.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, ReadError> {
        loop {
            line.clear();
            if let Some(current) = &mut self.current {
                let read = current.take(MAX_LINE as u64 + 1).read_until(b'\n', line);
                read.map_err(|source| self.fail(source))?;
                if !line.is_empty() {
                    self.number = self.number.saturating_add(1);
                    return self.strip_line_feed(line);
                }
            }
            if !self.open_next()? {
                return Ok(false);
            }
        }
    }

    fn strip_line_feed(&mut self, line: &mut Vec<u8>) -> Result<bool, ReadError> {
        if line.pop_if(|last| *last == b'\n').is_some() {
            return Ok(true);
        }
        let fault = if line.len() > MAX_LINE {
            self.skip_line()?;
            Fault::TooLong
        } else {
            Fault::Incomplete
        };
        Err(ReadError::Line {
            path: self.path.to_path_buf(),
            line: self.number,
            fault,
        })
    }

    /// Skips the rest of a line that is too long.
    fn skip_line(&mut self) -> Result<(), ReadError> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let skipped = current.skip_until(b'\n');
        skipped.map(drop).map_err(|source| self.fail(source))
    }

    fn open_next(&mut self) -> Result<bool, ReadError> {
        self.current = None;
        let Some(source) = self.sources.next() else {
            return Ok(false);
        };
        self.number = 0;
        let (path, text) = match source {
            Source::Open(path, text) => (path, text),
            Source::Closed(segment) => {
                self.path = segment.plain.as_path().into();
                segment.open().map_err(|source| self.fail(source))?
            }
        };
        (self.path, self.current) = (path.into(), Some(text));
        Ok(true)
    }

    /// Ends the reading with an error.
    fn fail(&mut self, source: io::Error) -> ReadError {
        self.sources = Vec::new().into_iter();
        self.current = None;
        ReadError::File {
            path: self.path.to_path_buf(),
            source,
        }
    }
}

/// The files of the log at `path`. The active file is opened first: if it is closed and renamed meanwhile, it is still
/// read once only.
fn sources(path: &Path) -> io::Result<Vec<Source>> {
    let active = segment::open(path)?;
    let active_begin = segment::first_seq(&active)?;
    let before = |segment: &Segment| active_begin.is_none_or(|seq| segment.first_seq < seq);
    let closed = segment::closed(path)?.into_iter();
    let mut sources: Vec<_> = closed.filter(before).map(Source::Closed).collect();
    let text = segment::decompressed(active)?;
    sources.push(Source::Open(path.to_owned(), text));
    Ok(sources)
}
