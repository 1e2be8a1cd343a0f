//! Messages for the policy's author. The gateway bounds how much a call may write, and a call that writes more fails;
//! nothing of it is shown to callers. A policy that never logs imports nothing.

use crate::bindings::settings::checkpoint_gateway::policy::logging::{Level, log};

/// What helps to find a mistake.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

/// What is good to know.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// What should not be so.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// What went wrong.
pub fn error(message: &str) {
    log(Level::Error, message);
}
