//! Log messages for the policy's author. The gateway limits the output of a call, and a call that exceeds the limit fails.
//! Callers never see it. A policy that does not log has no imports.

use crate::bindings::settings::checkpoint_gateway::policy::logging::{Level, log};

/// Logs a detail that helps to find a bug.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

/// Logs an event.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// Logs something unexpected.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// Logs a failure.
pub fn error(message: &str) {
    log(Level::Error, message);
}
