//! Redaction plans, and their form in audit records.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::HiddenField;

/// The detectors that the gateway has. Rules may name these and no others.
pub const DETECTORS: [&str; 24] = [
    "auth-header",
    "aws-access-key",
    "azure-key",
    "basic-auth-url",
    "cloud-token",
    "code-host-token",
    "connection-string",
    "credential-file",
    "credit-card",
    "gcp-key",
    "github-token",
    "jwt",
    "kubernetes-token",
    "message-token",
    "model-key",
    "operations-token",
    "password-field",
    "payment-key",
    "private-key",
    "registry-token",
    "shadow-line",
    "slack-token",
    TELLING_NAMES,
    "vault-token",
];

/// The detector that selects environment variables by names that speak of secrets.
pub const TELLING_NAMES: &str = "telling-names";

/// A redaction plan: pure data, decided before the runtime is called and carried out while the archive streams. An empty
/// plan leaves the archive as the runtime wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// Rules for bytes that are overwritten wherever they occur.
    pub mask: Vec<MaskRule>,
    /// Entries that are left out.
    pub drop: Vec<DropRule>,
    /// Fields of the request that stay out of logs, traces and audit records.
    pub hide: Vec<HiddenField>,
}

/// A rule for bytes that are overwritten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskRule {
    /// The rule's name in the summary. It must not contain a secret.
    pub name: String,
    /// The bytes that it finds.
    pub pattern: Pattern,
    /// The parts of the archive that it searches.
    pub places: BTreeSet<Place>,
}

/// A rule for an entry that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropRule {
    /// The rule's name in the summary.
    pub name: String,
    /// `container.log`, or `rootfs-diff.tar:/etc/shadow`.
    pub entry: String,
}

/// The bytes that a rule finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// These bytes.
    Literal(Vec<u8>),
    /// Matches of this bytes expression, in the syntax of the `regex` crate, without look-around.
    Regex(String),
    /// The values of environment variables whose names match this glob, as themselves and in base64.
    EnvValue(String),
    /// Matches of this detector: `private-key`, `jwt`, ...; [`TELLING_NAMES`] stands for values of variables.
    Detector(String),
}

/// A part of the archive that a rule searches.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Place {
    /// `spec.dump` and `config.dump`: environment and arguments.
    Spec,
    /// The processes' memory and the other CRIU images.
    Memory,
    /// The container's log and the log of the dump.
    Logs,
    /// Regular files in `rootfs-diff.tar` and in dumped tmpfs.
    Files,
}

impl Place {
    /// The name in plans and summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Memory => "memory",
            Self::Logs => "logs",
            Self::Files => "files",
        }
    }
}

/// What happens to contents that cannot be searched or masked: encrypted, damaged, of an unknown compression method, over a
/// bound, or with something to hide in a format that is not written. The later one of two is the stricter one.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum OpaqueRule {
    /// They stay as they are.
    Keep,
    /// Files of an archive inside are left out; the checkpoint's own members are refused.
    #[default]
    Drop,
    /// The archive is refused.
    Refuse,
}

/// A plan as it is recorded: names of rules without their patterns, which may be secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PlanRecord {
    /// SHA-256 of the plan's JSON as hex digits; empty if the plan is empty.
    #[schemars(regex(pattern = "^([0-9a-f]{64})?$"))]
    pub sha256: String,
    /// Names of the mask rules.
    pub mask: Vec<String>,
    /// Entries that are left out.
    pub drop: Vec<String>,
    /// Fields of the request that are hidden.
    pub hide: Vec<HiddenField>,
}

impl Plan {
    /// Whether the plan hides nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the plan changes the archive.
    pub fn changes_the_archive(&self) -> bool {
        !self.mask.is_empty() || !self.drop.is_empty()
    }

    /// Whether a rule needs the values of environment variables.
    pub fn asks_for_environment(&self) -> bool {
        self.mask
            .iter()
            .any(|rule| rule.pattern.selects_variables())
    }
}

impl Pattern {
    /// Whether it selects environment variables by their names.
    pub fn selects_variables(&self) -> bool {
        match self {
            Self::EnvValue(_) => true,
            Self::Detector(name) => name == TELLING_NAMES,
            Self::Literal(_) | Self::Regex(_) => false,
        }
    }
}

impl PlanRecord {
    /// Whether the plan hides nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
