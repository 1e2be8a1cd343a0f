//! The exit codes of the tool.

use std::process::ExitCode;

use gateway_server::config::ConfigError;

/// The result of the process, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Success,
    Failure,
    /// A replay in which a decision differs.
    Different,
    /// clap ends wrong usage with the same code.
    WrongUsage,
    Misconfigured,
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
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::Different | Exit::WrongUsage => 2,
            Exit::Misconfigured => 3,
        })
    }
}
