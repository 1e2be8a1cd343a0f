//! Answers of policies, and their form in audit records.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::Sha256;

/// The answer of one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The policy allows the request.
    Allow,
    /// The policy denies the request. One denial outweighs every allow.
    Deny(Denial),
    /// The policy has no opinion. If no policy allows, the request is denied.
    Abstain,
}

/// The reason of a denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Denial {
    /// Stable and machine-readable, in kebab-case: `outside-business-hours`.
    pub code: String,
    /// Shown to the caller, so it must not contain a secret.
    pub message: String,
}

/// A policy's answer as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The policy's name in the configuration.
    pub policy: String,
    /// SHA-256 of its module as hex digits; absent if it is built in or could not be loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Sha256>")]
    pub digest: Option<String>,
    /// The generation of policies that it belongs to. Each reload makes a new one.
    #[serde(default)]
    pub generation: u64,
    /// Its answer.
    pub decision: Decision,
    /// Whether the answer was only recorded (mode `monitor`).
    #[serde(default)]
    pub monitored: bool,
    /// Annotations for the audit record and the trace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Its time in microseconds, the wait for a slot included.
    #[serde(default)]
    pub microseconds: u64,
    /// Its largest memory in bytes.
    #[serde(default)]
    pub memory_bytes: u64,
}

impl Verdict {
    /// `decision` by the policy `policy`, with all other fields empty.
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
