//! The requests to the writer of a log, which share writes.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::settings::Signing;

/// The most bytes of one write, apart from the record that exceeds it.
pub(crate) const MAX_WRITE: usize = 4 << 20;

/// A request to the writer.
#[derive(Debug)]
pub(crate) enum Work {
    /// Append this record, given as JSON.
    Record(Vec<u8>),
    /// Sign a head over all lines that no head covers yet.
    SignHead,
    /// Sign with another key from now on.
    ChangeKey {
        /// The new key; `None` for no signatures.
        signing: Option<Signing>,
        /// Set if it is another key than before.
        changed: Arc<AtomicBool>,
    },
    /// Check that the log can be written.
    Probe,
}

impl Work {
    /// The number of bytes that a record has.
    pub(crate) fn bytes(&self) -> usize {
        if let Self::Record(body) = self {
            body.len()
        } else {
            0
        }
    }
}
