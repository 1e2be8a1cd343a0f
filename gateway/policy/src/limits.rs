//! The limits of one policy call.

use serde::Deserialize;

/// The limits of one call of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// The longest time that a call may take, including the wait for a slot, in milliseconds.
    pub deadline_milliseconds: u64,
    /// The longest time that loading may take after compilation (instantiation and `configure`), in milliseconds.
    pub configure_milliseconds: u64,
    /// The most linear memory, in bytes.
    pub memory_bytes: usize,
    /// The largest answer, in bytes.
    pub answer_bytes: usize,
    /// The most log output of one call, in bytes.
    pub log_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline_milliseconds: 50,
            configure_milliseconds: 5000,
            memory_bytes: 64 << 20,
            answer_bytes: 1 << 20,
            log_bytes: 16 << 10,
        }
    }
}
