//! The two kinds of policies.

/// The kind of a policy, according to its exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It allows or denies requests.
    Authorizer,
    /// It plans the redaction of checkpoints.
    Redactor,
}
