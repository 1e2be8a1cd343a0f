use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one policy says of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It may go on, as far as this policy is concerned.
    Allow,
    /// It must not go on. One denial outweighs every allow.
    Deny(Denial),
    /// No opinion. A request on which nobody has one is denied.
    Abstain,
}

/// Why a request is denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Stable and machine-readable, in kebab-case: `outside-business-hours`.
    pub code: String,
    /// Shown to the caller, so it holds no secret.
    pub message: String,
}

/// A policy's name and what it said: the part of a decision that goes on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The policy's name in the configuration.
    pub policy: String,
    /// SHA-256 of its module, as hex digits; absent where it is built in or could not be loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The generation of policies that it belongs to: one for each change of the configuration.
    #[serde(default)]
    pub generation: u64,
    /// What it said.
    pub decision: Decision,
    /// Whether what it said was only recorded.
    #[serde(default)]
    pub monitored: bool,
    /// What it wants remembered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// How long it took, the wait for its turn included.
    #[serde(default)]
    pub microseconds: u64,
    /// The most memory that it had.
    #[serde(default)]
    pub memory_bytes: u64,
}

impl Verdict {
    /// `decision`, by a policy of this name of which nothing more is known.
    pub fn of(policy: &str, decision: Decision) -> Self {
        Self {
            policy: policy.to_owned(),
            digest: None,
            generation: 0,
            decision,
            monitored: false,
            annotations: BTreeMap::new(),
            microseconds: 0,
            memory_bytes: 0,
        }
    }
}
