//! The interface through which durable lines leave the log.

use std::fmt::Debug;

/// Receives the log's lines once they are durable.
pub trait Observer: Debug + Send {
    /// Receives whole lines, which follow those of the previous call. Lines of an earlier run are not repeated. The writer
    /// waits for this call, so it must be quick and must not panic.
    fn durable(&self, lines: &[u8]);
}
