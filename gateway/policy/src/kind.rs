//! The two kinds of policies.

/// What a policy exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It allows or denies requests.
    Authorizer,
    /// It plans the redaction of checkpoints.
    Redactor,
}
