//! A policy as the configuration describes it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gateway_core::{Action, OpaqueRule, Request};
use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::wasi::Wasi;

/// The configuration of one policy: its module, its settings, and the requests to which it applies.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    /// The name in verdicts, records and metrics.
    pub name: String,
    /// The path of the component.
    pub file: PathBuf,
    /// The SHA-256 that the component must have, as hex digits; if absent, any component is accepted.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The settings that are passed to the policy.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The actions to which it applies; empty means all.
    #[serde(default)]
    pub actions: Vec<Action>,
    /// The namespaces to which it applies; empty means all.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Labels that a pod must have for the policy to apply.
    #[serde(default)]
    pub pod_labels: BTreeMap<String, String>,
    /// Whether its verdicts count.
    #[serde(default)]
    pub mode: Mode,
    /// What happens to contents that its plan would search and that cannot be searched, in place of `redaction.opaque`. Of
    /// several policies the strictest decides.
    #[serde(default)]
    pub opaque: Option<OpaqueRule>,
    /// The limits of each call.
    #[serde(default)]
    pub limits: Limits,
    /// Whether it may import WASI.
    #[serde(default)]
    pub wasi: Wasi,
}

/// Whether a policy's verdicts count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They count.
    #[default]
    Enforce,
    /// They are recorded and have no effect.
    Monitor,
}

impl Spec {
    /// Whether the policy applies to `request`.
    pub fn applies_to(&self, request: &Request) -> bool {
        let target = &request.target;
        let namespace = target.target.namespace();
        (self.actions.is_empty() || self.actions.contains(&request.action))
            && (self.namespaces.is_empty() || self.namespaces.iter().any(|name| name == namespace))
            && self
                .pod_labels
                .iter()
                .all(|(name, value)| target.pod_labels.get(name) == Some(value))
    }
}
