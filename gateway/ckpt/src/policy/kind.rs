//! The kinds of policies, as options and in lock files.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The kind of a policy: the world of the contract that it implements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Allows or denies requests.
    #[default]
    Authorizer,
    /// Plans the redaction of checkpoints.
    Redactor,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Authorizer => "authorizer",
            Self::Redactor => "redactor",
        })
    }
}
