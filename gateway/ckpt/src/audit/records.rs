use std::path::Path;

use anyhow::Result;
use gateway_audit::{Entry, Fault, ReadError, Reader};

use crate::exit::Exit;
use crate::output::tell;

/// The records of a log, one after another. Lines that are none are counted and passed over: a newer gateway may have
/// written them.
pub(super) struct Records {
    reader: Reader,
    foreign: u64,
    first: Option<String>,
}

impl Records {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            reader: gateway_audit::read(path)?,
            foreign: 0,
            first: None,
        })
    }

    /// How a command ends that has read them all. Whoever could not read everything has not seen everything, and is told so.
    pub(super) fn end(self) -> Exit {
        let Some(first) = self.first else {
            return Exit::Success;
        };
        tell(format_args!(
            "{} lines are no records that this version knows, and were passed over; the first: {first}",
            self.foreign
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
                // A gateway is writing it.
                Err(ReadError::Line {
                    fault: Fault::Incomplete,
                    ..
                }) => {}
                Err(error @ ReadError::Line { .. }) => {
                    self.foreign = self.foreign.saturating_add(1);
                    self.first.get_or_insert_with(|| error.to_string());
                }
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}
