//! Bounds on the answers of policies. The crate that checks an answer and the crates that carry it out share them.

/// The longest message, and the longest name or value of an annotation, in bytes.
pub const TEXT_MAX: usize = 1024;
/// The longest name of a rule, glob or entry in a plan, in bytes.
pub const NAME_MAX: usize = 256;
/// The longest regular expression or literal in a plan, in bytes.
pub const PATTERN_MAX: usize = 4096;
/// The most stars in a glob of a plan: each costs backtracking.
pub const GLOB_STARS_MAX: usize = 8;
/// The largest compiled regular expression of a plan, in bytes.
pub const EXPRESSION_SIZE_MAX: usize = 1 << 20;
/// The deepest nesting in a regular expression of a plan.
pub const EXPRESSION_NESTING_MAX: u32 = 64;
