//! The lines of a log, in order, across its segments, in memory for one of them.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chain::LONGEST;
use crate::segment::{self, Segment};
use crate::verify::Fault;

/// Why a part of a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file cannot be read. Nothing behind that place is read.
    #[error("cannot read `{}`", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is no record. What is behind it is read.
    #[error("`{}`, line {line}: {fault}", .path.display())]
    Line {
        /// The file that it is in.
        path: PathBuf,
        /// Its number in that file, from 1.
        line: u64,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// A file of a log.
enum Source {
    Closed(Segment),
    Open(PathBuf, Box<dyn BufRead + Send>),
}

/// Reads line after line.
pub(crate) struct Lines {
    sources: std::vec::IntoIter<Source>,
    now: Option<Box<dyn BufRead + Send>>,
    /// The file that the last line came from.
    pub(crate) path: Arc<Path>,
    /// The number of the last line in that file, from 1.
    pub(crate) number: u64,
}

impl Lines {
    /// Of the log at `path`: its closed segments, and the active file as it is now. Where `path` is itself a compressed
    /// segment, of that alone.
    pub(crate) fn of(path: &Path) -> Result<Self, ReadError> {
        let sources = sources(path).map_err(|source| ReadError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            sources: sources.into_iter(),
            now: None,
            path: path.into(),
            number: 0,
        })
    }

    /// Of what is in memory.
    #[cfg(test)]
    pub(crate) fn within(text: Vec<u8>) -> Self {
        let path: Arc<Path> = Path::new("audit.log").into();
        let sources = vec![Source::Open(
            path.to_path_buf(),
            Box::new(io::Cursor::new(text)),
        )];
        Self {
            sources: sources.into_iter(),
            now: None,
            path,
            number: 0,
        }
    }

    /// Reads the next line without its end into `line`; `false` where there is none.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, ReadError> {
        loop {
            line.clear();
            if let Some(now) = &mut self.now {
                let most = LONGEST as u64 + 1;
                let read = now.take(most).read_until(b'\n', line);
                read.map_err(|source| self.lost(source))?;
                if !line.is_empty() {
                    self.number = self.number.saturating_add(1);
                    return self.whole(line);
                }
            }
            if !self.turn()? {
                return Ok(false);
            }
        }
    }

    fn whole(&mut self, line: &mut Vec<u8>) -> Result<bool, ReadError> {
        if line.pop_if(|last| *last == b'\n').is_some() {
            return Ok(true);
        }
        let fault = if line.len() > LONGEST {
            Fault::Long
        } else {
            Fault::Short
        };
        if fault == Fault::Long {
            self.skip()?;
        }
        Err(ReadError::Line {
            path: self.path.to_path_buf(),
            line: self.number,
            fault,
        })
    }

    /// Reads to the end of a line that is too long to be kept.
    fn skip(&mut self) -> Result<(), ReadError> {
        let Some(now) = &mut self.now else {
            return Ok(());
        };
        now.skip_until(b'\n')
            .map_err(|source| self.lost(source))
            .map(drop)
    }

    /// Turns to the next file.
    fn turn(&mut self) -> Result<bool, ReadError> {
        self.now = None;
        let Some(source) = self.sources.next() else {
            return Ok(false);
        };
        self.number = 0;
        let (path, text) = match source {
            Source::Open(path, text) => (path, text),
            Source::Closed(segment) => {
                self.path = segment.plain.as_path().into();
                segment.open().map_err(|source| self.lost(source))?
            }
        };
        (self.path, self.now) = (path.into(), Some(text));
        Ok(true)
    }

    fn lost(&mut self, source: io::Error) -> ReadError {
        self.sources = Vec::new().into_iter();
        self.now = None;
        ReadError::File {
            path: self.path.to_path_buf(),
            source,
        }
    }
}

/// The active file is opened first: what is closed meanwhile is then the file that was opened, and is read once.
fn sources(path: &Path) -> io::Result<Vec<Source>> {
    let active = segment::open(path)?;
    let regular = active.metadata()?.is_file();
    let first = if regular {
        segment::begins(&active)?
    } else {
        None
    };
    let closed = if regular {
        segment::closed(path)?
    } else {
        Vec::new()
    };
    let before = |segment: &Segment| first.is_none_or(|first| segment.first < first);
    let mut sources: Vec<_> = closed
        .into_iter()
        .filter(before)
        .map(Source::Closed)
        .collect();
    sources.push(Source::Open(path.to_owned(), segment::lines(active)?));
    Ok(sources)
}
