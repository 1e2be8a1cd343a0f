//! The tables `[authorization]`, `[shadow]` and `[policy-engine]`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use gateway_policy::AllowRule;
use serde::Deserialize;

use super::numbers::at_least_one;

/// `[authorization]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Authorization {
    /// The allow list. Without entries it is not asked, and policies alone decide.
    pub allow: Vec<AllowRule>,
}

/// `[shadow]`: policies that are asked and never decide.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Shadow {
    /// Their allow list, as `authorization.allow`.
    pub allow: Vec<AllowRule>,
    /// Their components, as `[[policies]]`.
    pub policies: Vec<gateway_policy::Spec>,
    /// The most requests that wait for them. More are left out and counted. A reload does not change it.
    pub waiting: NonZeroUsize,
}

/// `[policy-engine]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PolicyEngine {
    /// The cache of compiled policies, which makes starts fast; empty for none.
    pub cache_directory: PathBuf,
    /// The most policy calls that run at once on this node. More wait, within their deadlines.
    pub slots: NonZeroUsize,
    /// The most memory of one call, in bytes. Times `slots` it bounds all of them.
    pub memory_bytes: NonZeroUsize,
    /// Whether the gateway refuses to start with a policy that cannot be loaded. If not, such a policy denies what it is bound to.
    pub strict: bool,
}

impl Default for Shadow {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            policies: Vec::new(),
            waiting: at_least_one(256),
        }
    }
}

impl Default for PolicyEngine {
    fn default() -> Self {
        Self {
            cache_directory: PathBuf::from("/var/lib/checkpoint-gateway/policies"),
            slots: at_least_one(4),
            memory_bytes: at_least_one(64 << 20),
            strict: false,
        }
    }
}
