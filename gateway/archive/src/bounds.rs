//! The bounds of taking one archive in.

use std::time::Duration;

/// The bounds of one intake.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The largest archive that is kept, in bytes.
    pub(crate) max_bytes: Option<u64>,
    /// The longest silence of a writer after the runtime's answer.
    pub(crate) patience: Duration,
}
