//! The exit codes of the daemon.

use std::process::ExitCode;

use gateway_server::config::ConfigError;

/// The result of the process, for scripts and service managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    Failure = 1,
    /// clap ends with the same code.
    WrongUsage = 2,
    Misconfigured = 3,
    /// Checkpoints were still running at the end of the drain.
    Aborted = 4,
}

impl Exit {
    /// The code for a command that failed with `error`.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if error.is::<ConfigError>() {
            Self::Misconfigured
        } else {
            Self::Failure
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
