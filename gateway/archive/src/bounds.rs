//! The bounds of taking one archive in.

use std::time::Duration;

/// What bounds the intake of one archive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The largest archive that is kept, in bytes.
    pub(crate) max_bytes: Option<u64>,
    /// How long a writer may be silent after the runtime's answer.
    pub(crate) patience: Duration,
}
