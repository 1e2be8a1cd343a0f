//! Unpacked bytes, counted; errors become an end, so that what was unpacked before is searched.

use std::io::{self, ErrorKind, Read};
use std::rc::Rc;

use super::super::budget::Budget;
use super::{Reason, Seen, Stop};
use crate::Error;
use crate::unpack::Progress;

/// Packed bytes that may come before there are as many unpacked ones: more than a block of LZ4 (4 MiB), which is read whole.
const LEAD: u64 = 8 << 20;
/// How much larger than the unpacked bytes the packed ones may be, behind that.
const MOST_GROWTH: u64 = 2;

/// The bytes that `inner` unpacks.
pub(super) struct Metered<'a, R> {
    pub(super) inner: R,
    progress: Rc<Progress>,
    budget: &'a Budget,
    left: u64,
    made: u64,
    fault: Option<io::Error>,
}

impl<'a, R: Read> Metered<'a, R> {
    /// At most `limit` bytes.
    pub(super) fn new(inner: R, progress: Rc<Progress>, budget: &'a Budget, limit: u64) -> Self {
        Self {
            inner,
            progress,
            budget,
            left: limit,
            made: 0,
            fault: None,
        }
    }

    /// Whether all was unpacked to the end.
    pub(super) fn finish(&mut self) -> Result<Seen, Stop> {
        if let Some(error) = self.progress.failure() {
            return Err(Error::reading(error).into());
        }
        let Some(fault) = &self.fault else {
            return Ok(Seen::NOTHING);
        };
        match fault.kind() {
            ErrorKind::UnexpectedEof => Ok(Seen {
                changed: false,
                whole: false,
            }),
            ErrorKind::Unsupported => Err(Reason::Unknown.into()),
            ErrorKind::OutOfMemory => Err(Reason::TooLarge.into()),
            _ => Err(Reason::Damaged.into()),
        }
    }

    fn count(&mut self, made: usize) -> bool {
        let made = made as u64;
        self.made = self.made.saturating_add(made);
        let least = self.progress.taken().saturating_sub(LEAD) / MOST_GROWTH;
        let left = self.left.checked_sub(made);
        self.left = left.unwrap_or_default();
        left.is_some() && self.made >= least && self.budget.take_bytes(made)
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.fault.is_some() {
            return Ok(0);
        }
        match self.inner.read(buffer) {
            Ok(made) if self.count(made) => Ok(made),
            Ok(_) => {
                self.fault = Some(ErrorKind::OutOfMemory.into());
                Ok(0)
            }
            Err(error) => {
                self.fault = Some(error);
                Ok(0)
            }
        }
    }
}
