//! Reads the records of a log and counts lines that cannot be read.

use std::path::Path;

use anyhow::Result;
use gateway_audit::{Entry, Fault, ReadError, Reader};

use crate::exit::Exit;
use crate::output::print_error;

/// The records of a log in their order. Lines that this version cannot read, such as those of a newer gateway, are counted
/// and skipped.
pub(super) struct Records {
    reader: Reader,
    unreadable: u64,
    first: Option<String>,
}

impl Records {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            reader: gateway_audit::read(path)?,
            unreadable: 0,
            first: None,
        })
    }

    /// The exit code of a command that has read all records: a failure, with a message, where lines were skipped.
    pub(super) fn end(self) -> Exit {
        let Some(first) = self.first else {
            return Exit::Success;
        };
        print_error(format_args!(
            "{} lines cannot be read and were skipped; the first: {first}",
            self.unreadable
        ));
        Exit::Failure
    }
}

impl Iterator for Records {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Result<Entry>> {
        loop {
            match self.reader.next()? {
                Ok(entry) => return Some(Ok(entry)),
                // A gateway is writing this line.
                Err(ReadError::Line {
                    fault: Fault::Incomplete,
                    ..
                }) => {}
                Err(error @ ReadError::Line { .. }) => {
                    self.unreadable = self.unreadable.saturating_add(1);
                    self.first.get_or_insert_with(|| error.to_string());
                }
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}
