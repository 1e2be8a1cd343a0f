use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Place;

/// What redaction did to one archive: numbers and the plan's own words, never a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionSummary {
    /// The plan's mask rules, in its order, also those that found nothing.
    pub rules: Vec<RuleSummary>,
    /// The plan's drop rules, in its order, also those that found nothing.
    pub dropped: Vec<DropSummary>,
    /// Distinct values of environment variables that were searched for everywhere.
    pub values_hidden: u64,
    /// Distinct values that were masked in environments only, being too short to search for.
    pub values_too_short: u64,
    /// How many times the archive was gone through: more than once where it named a value later than it showed it.
    pub passes: u32,
    /// Documents that could not be read as what they should be, and were searched as plain bytes under every rule.
    pub unreadable: Vec<String>,
}

impl RedactionSummary {
    /// What all mask rules hid, in all places.
    pub fn masked(&self) -> Masked {
        let places = self.rules.iter().flat_map(|rule| rule.places.values());
        places.fold(Masked::default(), |all, one| Masked {
            masks: all.masks.saturating_add(one.masks),
            bytes: all.bytes.saturating_add(one.bytes),
        })
    }
}

/// What one mask rule did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSummary {
    /// The rule's name.
    pub name: String,
    /// What it hid, by place; places where it found nothing are left out.
    pub places: BTreeMap<Place, Masked>,
}

/// How often and how much was overwritten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masked {
    /// Matches.
    pub masks: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// What one drop rule did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropSummary {
    /// The rule's name.
    pub name: String,
    /// What the plan told to leave out.
    pub entry: String,
    /// How many entries of the archive that were.
    pub entries: u64,
}
