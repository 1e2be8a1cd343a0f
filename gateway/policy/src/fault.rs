use gateway_core::{Denial, one_line};

/// How a policy can fail. Each failure is a denial with a stable code, whatever the policy was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The module cannot be read.
    #[error("the module cannot be read: {0}")]
    Missing(String),
    /// The module is not the one that was pinned.
    #[error("the module's SHA-256 is {found}, and {pinned} is pinned")]
    Digest {
        /// What is pinned.
        pinned: String,
        /// What was found.
        found: String,
    },
    /// The module is no component that can be run.
    #[error("the module is no valid component: {0}")]
    Invalid(String),
    /// The module imports what the contract does not give.
    #[error("the module imports {}, which no policy gets", .0.join(", "))]
    Import(Vec<String>),
    /// The module does not export what the contract asks for.
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
    /// The policy, or the wait for its turn, took too long.
    #[error("the policy took longer than {milliseconds} ms")]
    Deadline {
        /// What it was given.
        milliseconds: u64,
    },
    /// The policy wanted more memory or table space than it may have.
    #[error("the policy wanted more than {0}")]
    Memory(String),
    /// The policy recursed too deeply.
    #[error("the policy overflowed its stack")]
    Stack,
    /// The answer makes no sense, or is too large.
    #[error("the policy's answer makes no sense: {0}")]
    Answer(String),
    /// The policy logged more than it may.
    #[error("the policy logged more than {bytes} bytes")]
    Log {
        /// What it may log.
        bytes: usize,
    },
    /// The redactor says that it cannot plan.
    #[error("the redactor failed: {0}")]
    Refused(String),
    /// The plan cannot be carried out.
    #[error("the plan cannot be carried out: {0}")]
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

    /// The denial that comes of it. A caller learns the kind of failure and nothing of the policy's inner life.
    pub fn denial(&self) -> Denial {
        Denial {
            code: self.code().to_owned(),
            message: "the policy failed, so nobody is let through".to_owned(),
        }
    }
}

/// The words of an error, on one bounded line.
pub(crate) fn told(error: impl std::fmt::Display) -> String {
    one_line(&error.to_string(), 256)
}
