//! The names that a container and its processes have: as values, they cannot be told from ordinary text.

use std::collections::BTreeSet;

use crate::search::is_plain;

/// Longer texts are no names.
const LENGTH_MAX: usize = 253;
/// The most names. Further ones are not taken for ordinary.
const COUNT_MAX: usize = 10_000;

/// Names in small letters.
#[derive(Debug, Default)]
pub(super) struct OrdinaryNames(BTreeSet<Vec<u8>>);

impl OrdinaryNames {
    /// Adds the name of a pod, a container, a user or a command.
    pub(super) fn add(&mut self, name: &[u8]) {
        if (1..=LENGTH_MAX).contains(&name.len()) && self.0.len() < COUNT_MAX {
            self.0.insert(name.to_ascii_lowercase());
        }
    }

    /// Adds a variable that is shown: its name, and its value if that consists of ordinary words. A secret
    /// that stands in such a variable, too, hardly does.
    pub(super) fn add_variable(&mut self, name: &[u8], value: &[u8]) {
        self.add(name);
        let has_digits = value.iter().any(u8::is_ascii_digit);
        if !has_digits && std::str::from_utf8(value).is_ok_and(is_plain) {
            self.add(value);
        }
    }

    /// Adds the program of a command line, without its folder.
    pub(super) fn add_command(&mut self, program: &[u8]) {
        let name = program.rsplit(|byte| *byte == b'/').next();
        self.add(name.unwrap_or(program));
    }

    /// Whether `value` is one of the names.
    pub(super) fn has(&self, value: &[u8]) -> bool {
        self.0.contains(&value.to_ascii_lowercase())
    }
}
