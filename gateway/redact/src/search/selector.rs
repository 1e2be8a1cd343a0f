//! The rules that select environment variables by their names.

use gateway_core::{Pattern, TELLING_NAMES};

use super::{glob, telling_names};

/// Decides by a variable's name.
#[derive(Debug)]
pub(super) enum Selector<'p> {
    /// Names that match a glob, to the letter.
    Glob(&'p str),
    /// Names that say that the value is a secret.
    Telling,
}

impl<'p> Selector<'p> {
    /// That of a rule, if it selects variables.
    pub(super) fn of(pattern: &'p Pattern) -> Option<Self> {
        match pattern {
            Pattern::EnvValue(glob) => Some(Self::Glob(glob)),
            Pattern::Detector(name) if name == TELLING_NAMES => Some(Self::Telling),
            Pattern::Literal(_) | Pattern::Regex(_) | Pattern::Detector(_) => None,
        }
    }

    /// Whether it selects the variable of this name.
    pub(super) fn selects(&self, name: &[u8]) -> bool {
        match self {
            Self::Glob(glob) => glob::matches(glob.as_bytes(), name),
            Self::Telling => telling_names::is_telling(name),
        }
    }
}
