//! Errors of compiling a plan.

/// Why a plan's mask rules cannot be carried out. Names the rule, never its pattern, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The expression is not valid, or too large when compiled.
    #[error("rule `{rule}`: the expression does not compile within its bounds")]
    Expression {
        /// The rule.
        rule: String,
    },
    /// The rule names a detector that does not exist.
    #[error("rule `{rule}`: unknown detector")]
    Detector {
        /// The rule.
        rule: String,
    },
    /// A literal of no bytes, or of too many.
    #[error("rule `{rule}`: a literal must be 1 to {max} bytes long")]
    Literal {
        /// The rule.
        rule: String,
        /// The most bytes.
        max: usize,
    },
    /// The rules together exceed a bound.
    #[error("rule `{rule}`: with it, the plan needs more than {max} {what}")]
    TooLarge {
        /// The rule that went over the bound.
        rule: String,
        /// The bound.
        max: usize,
        /// The quantity that exceeds it.
        what: &'static str,
    },
}
