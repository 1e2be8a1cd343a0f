//! The places of the lines that were read last.

use std::path::Path;
use std::sync::Arc;

use super::error::VerifyError;
use crate::fault::Fault;

/// The place of a line.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// The file that holds the line.
    pub(super) path: Arc<Path>,
    /// The line's number in that file, from 1.
    pub(super) line: u64,
    /// The line's number in the log, from 0.
    pub(super) seq: u64,
}

impl Location {
    pub(super) fn broken(&self, fault: Fault) -> VerifyError {
        VerifyError::Broken {
            path: self.path.to_path_buf(),
            line: self.line,
            seq: self.seq,
            fault,
        }
    }
}

impl Default for Location {
    fn default() -> Self {
        Self {
            path: Path::new("").into(),
            line: 0,
            seq: 0,
        }
    }
}

/// The line that was read last and the two before it, since a later line shows whether an earlier one was changed.
#[derive(Debug, Default)]
pub(super) struct RecentLines([Location; 3]);

impl RecentLines {
    pub(super) fn push(&mut self, location: Location) {
        self.0.rotate_right(1);
        self.0[0] = location;
    }

    /// The line that was read last.
    pub(super) fn last(&self) -> &Location {
        &self.0[0]
    }

    pub(super) fn last_mut(&mut self) -> &mut Location {
        &mut self.0[0]
    }

    /// The line before the last one.
    pub(super) fn second_last(&self) -> &Location {
        &self.0[1]
    }

    /// The line before that.
    pub(super) fn third_last(&self) -> &Location {
        &self.0[2]
    }
}
