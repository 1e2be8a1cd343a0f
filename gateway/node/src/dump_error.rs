//! The error of a dump.

use std::io;

/// A step of a dump failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}: {source}")]
pub(crate) struct DumpError {
    action: String,
    source: io::Error,
}

/// Adds the action that failed, such as `write the process tree`, to an error.
pub(crate) fn while_trying_to(action: &str) -> impl FnOnce(io::Error) -> DumpError {
    let action = action.to_owned();
    move |source| DumpError { action, source }
}
