use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::HiddenField;

/// The detectors that the gateway ships: what a rule may name, and what the archive must be able to find.
pub const DETECTORS: [&str; 11] = [
    "aws-access-key",
    "azure-key",
    "basic-auth-url",
    "credit-card",
    "gcp-key",
    "github-token",
    "jwt",
    "kubernetes-token",
    "private-key",
    "shadow-line",
    "slack-token",
];

/// What must stay hidden in a checkpoint: pure data, decided before the runtime is touched and carried out while the
/// archive streams. An empty plan leaves the archive as the runtime wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// What is overwritten wherever it occurs.
    pub mask: Vec<MaskRule>,
    /// Entries that are left out altogether.
    pub drop: Vec<DropRule>,
    /// Fields of the request that stay out of logs, traces and audit records.
    pub hide: Vec<HiddenField>,
}

/// Something to overwrite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskRule {
    /// Names the rule in the summary; never holds a secret.
    pub name: String,
    /// What it looks for.
    pub pattern: Pattern,
    /// Where it looks.
    pub places: BTreeSet<Place>,
}

/// An entry to leave out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropRule {
    /// Names the rule in the summary.
    pub name: String,
    /// `container.log`, or `rootfs-diff.tar:/etc/shadow`.
    pub entry: String,
}

/// What a rule looks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// These bytes.
    Literal(Vec<u8>),
    /// What matches this expression over bytes: the syntax of the `regex` crate, without look-around.
    Regex(String),
    /// The values of environment variables whose names match this glob, as themselves and in base64.
    EnvValue(String),
    /// What this detector of the gateway's finds: `private-key`, `jwt`, ...
    Detector(String),
}

/// Where a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// `spec.dump` and `config.dump`: environment and arguments.
    Spec,
    /// The processes' memory and the other CRIU images.
    Memory,
    /// The container's log and the dump's.
    Logs,
    /// Regular files in `rootfs-diff.tar` and in dumped tmpfs.
    Files,
}

impl Place {
    /// The word for it in plans and summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Memory => "memory",
            Self::Logs => "logs",
            Self::Files => "files",
        }
    }
}

/// A plan as records tell it: its rules' names and never what they look for, which may be a secret itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanRecord {
    /// SHA-256 of the plan as JSON, as hex digits; empty where nothing is to be hidden.
    pub sha256: String,
    /// The names of its mask rules.
    pub mask: Vec<String>,
    /// The entries that it leaves out.
    pub drop: Vec<String>,
    /// The fields of the request that it hides.
    pub hide: Vec<HiddenField>,
}

impl Plan {
    /// Whether nothing is to be hidden.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the archive is to be changed at all.
    pub fn changes_the_archive(&self) -> bool {
        !self.mask.is_empty() || !self.drop.is_empty()
    }

    /// Whether a rule asks for values of environment variables.
    pub fn asks_for_environment(&self) -> bool {
        self.mask
            .iter()
            .any(|rule| matches!(rule.pattern, Pattern::EnvValue(_)))
    }
}

impl PlanRecord {
    /// Whether nothing is to be hidden.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
