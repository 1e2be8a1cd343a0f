//! Bounds of a compiled plan.

use std::fmt;

use fearless_simd::Level;

use super::sightings::CredentialSettings;

/// The mask, and the bounds of a compiled plan.
#[derive(Debug, Clone)]
pub struct SearchSettings {
    /// The byte that overwrites matches. `*` is gentler than NUL, which ends C strings.
    pub mask: u8,
    /// Environment values that are shorter, in bytes, are not searched for, since they occur everywhere. The caller masks them
    /// in the environment itself.
    pub min_value_length: usize,
    /// The most needles: literals, environment values and their encodings.
    pub max_needles: usize,
    /// The most bytes that all needles have together.
    pub max_needle_bytes: usize,
    /// The most bytes of all compiled expressions together.
    pub max_expression_bytes: usize,
    /// Whether the secrets that are found are described, and how. Without it they are only counted.
    pub credentials: Option<CredentialSettings>,
    /// Whether the search uses AVX-512 where the processor has it. Measurements switch it off, to tell what others do.
    pub avx512: bool,
}

impl SearchSettings {
    /// The instructions that the search uses.
    pub(super) fn level(&self) -> Level {
        if self.avx512 {
            Level::new()
        } else {
            Level::baseline()
        }
    }
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self {
            mask: b'*',
            min_value_length: 6,
            max_needles: 16_384,
            max_needle_bytes: 16 << 20,
            max_expression_bytes: 64 << 20,
            credentials: None,
            avx512: true,
        }
    }
}

/// An environment variable with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvValue {
    /// The variable's name.
    pub name: String,
    /// Its value, a secret.
    pub value: Vec<u8>,
}

impl fmt::Debug for EnvValue {
    /// Without the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvValue")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
