//! The result of redacting an archive.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CredentialReport, Place};

/// The result of redacting one archive: numbers and names from the plan, never a hidden value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedactionSummary {
    /// All mask rules of the plan, in its order.
    pub rules: Vec<RuleSummary>,
    /// All drop rules of the plan, in its order.
    pub dropped: Vec<DropSummary>,
    /// The number of distinct values of environment variables that were searched for everywhere.
    pub values_hidden: u64,
    /// The number of distinct values that were masked where their variables stand only, because they are too short to search
    /// for.
    pub values_too_short: u64,
    /// Variables whose values cannot be told from ordinary text: those were masked where the variable itself stands, not
    /// wherever they occur.
    #[serde(default)]
    pub common_values: Vec<String>,
    /// The number of passes over the archive. More than one if it named a value after showing it.
    pub passes: u32,
    /// Documents that could not be parsed. They were searched as plain bytes with every rule.
    pub unreadable: Vec<String>,
    /// The credentials that were found, if the configuration asks for them (`redaction.credentials`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialReport>,
    /// Contents that could not be searched or masked.
    #[serde(default, skip_serializing_if = "OpaqueSummary::is_empty")]
    pub opaque: OpaqueSummary,
}

/// Contents that could not be searched or masked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpaqueSummary {
    /// Bytes that stayed in the archive and were not searched to their end.
    pub kept_bytes: u64,
    /// Bytes that were left out.
    pub dropped_bytes: u64,
    /// The first of them, in the archive's order.
    pub contents: Vec<OpaqueContent>,
    /// The number of those that are not named.
    pub not_named: u64,
}

/// A member, or a file of an archive inside, that could not be searched or masked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpaqueContent {
    /// The place: `container.log`, or `rootfs-diff.tar:/data/backup.tar.gz`. Hidden values are masked in it.
    pub place: String,
    /// The number of bytes, packed as they were.
    pub bytes: u64,
    /// Why it could not be searched or masked.
    pub reason: String,
    /// Whether it was left out. If not, it is in the archive as it was.
    pub dropped: bool,
    /// Whether a process has it open or mapped, so that the archive does not restore without it.
    pub will_not_restore: bool,
}

impl OpaqueSummary {
    /// Whether everything was searched, and masked where that was needed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl RedactionSummary {
    /// The sum over all mask rules and places.
    pub fn masked(&self) -> Masked {
        let places = self.rules.iter().flat_map(|rule| rule.places.values());
        places.fold(Masked::default(), |all, one| Masked {
            masks: all.masks.saturating_add(one.masks),
            bytes: all.bytes.saturating_add(one.bytes),
        })
    }
}

/// The result of one mask rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleSummary {
    /// The rule's name.
    pub name: String,
    /// The result by place, without places that have no match.
    #[schemars(extend("propertyNames" = crate::schema::names::<Place>()))]
    pub places: BTreeMap<Place, Masked>,
}

/// Overwritten matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Masked {
    /// The number of matches.
    pub masks: u64,
    /// The number of bytes in them.
    pub bytes: u64,
}

/// The result of one drop rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DropSummary {
    /// The rule's name.
    pub name: String,
    /// The entry in the plan.
    pub entry: String,
    /// The number of entries that were left out.
    pub entries: u64,
}
