//! The ways in which a policy can fail.

use gateway_core::{Denial, one_line};

/// The longest text of an error that is passed on, in bytes.
const TEXT_MAX: usize = 256;

/// A failure of a policy. Each is a denial with a stable code, whatever the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The module cannot be read.
    #[error("cannot read the module {0}")]
    Missing(String),
    /// The module's digest differs from the pinned one.
    #[error("the module's SHA-256 is {found}, but {pinned} is pinned")]
    Digest {
        /// The pinned digest.
        pinned: String,
        /// The module's digest.
        found: String,
    },
    /// The module is not a component that can run.
    #[error("the module is not a valid component: {0}")]
    Invalid(String),
    /// The module has imports that the contract does not offer.
    #[error("the module imports {}, which no policy may import", .0.join(", "))]
    Import(Vec<String>),
    /// The module lacks the exports that the contract requires.
    #[error(
        "the module exports neither an authorizer nor a redactor of checkpoint-gateway:policy@0.1.0: {0}"
    )]
    World(String),
    /// The policy refused its settings.
    #[error("the policy refused its settings: {0}")]
    Settings(String),
    /// The policy trapped.
    #[error("the policy trapped: {0}")]
    Trap(String),
    /// The call exceeded its deadline, including the wait for a slot.
    #[error("the policy took longer than {milliseconds} ms")]
    Deadline {
        /// The policy's deadline.
        milliseconds: u64,
    },
    /// The policy exceeded its limit of memory or table space.
    #[error("the policy exceeded its limit of {0}")]
    Memory(String),
    /// The policy recursed too deeply.
    #[error("the policy overflowed its stack")]
    Stack,
    /// The answer is malformed or too large.
    #[error("the policy's answer is not valid: {0}")]
    Answer(String),
    /// The policy logged too much.
    #[error("the policy logged more than {bytes} bytes")]
    Log {
        /// The policy's limit.
        bytes: usize,
    },
    /// The redactor answered that it cannot plan.
    #[error("the redactor failed: {0}")]
    Refused(String),
    /// The plan is not valid.
    #[error("the plan is not valid: {0}")]
    Plan(String),
}

impl Fault {
    /// The stable code, in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "policy-missing",
            Self::Digest { .. } => "policy-digest",
            Self::Invalid(_) => "policy-invalid",
            Self::Import(_) => "policy-import",
            Self::World(_) => "policy-world",
            Self::Settings(_) => "policy-settings",
            Self::Trap(_) => "policy-trap",
            Self::Deadline { .. } => "policy-deadline",
            Self::Memory(_) => "policy-memory",
            Self::Stack => "policy-stack",
            Self::Answer(_) => "policy-answer",
            Self::Log { .. } => "policy-log",
            Self::Refused(_) => "policy-refused",
            Self::Plan(_) => "policy-plan",
        }
    }

    /// The denial that follows. Callers learn the kind of failure and no details of the policy.
    pub fn denial(&self) -> Denial {
        Denial {
            code: self.code().to_owned(),
            message: "a policy failed, so the request is denied".to_owned(),
        }
    }
}

/// The text of an error on one line, bounded.
pub(crate) fn bounded(error: impl std::fmt::Display) -> String {
    one_line(&error.to_string(), TEXT_MAX)
}
