/// Why a plan cannot be carried out. Names the rule, never what it looks for: that may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The expression is no expression, or too large when compiled.
    #[error("rule `{rule}`: the expression does not compile within its bounds")]
    Expression {
        /// The rule.
        rule: String,
    },
    /// There is no such detector.
    #[error("rule `{rule}`: there is no such detector")]
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
    /// The rules together want too much memory.
    #[error("rule `{rule}`: with it, the plan needs more than {max} {what}")]
    TooLarge {
        /// The rule that went over the bound.
        rule: String,
        /// The most of it.
        max: usize,
        /// Of what.
        what: &'static str,
    },
}
