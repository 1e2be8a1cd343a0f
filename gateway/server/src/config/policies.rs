//! Who may do what: the built-in policy, components, and those that are only tried out.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use gateway_policy::AllowRule;
use serde::Deserialize;

use super::numbers::at_least_one;

/// `[authorization]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Authorization {
    /// The built-in policy: who may, and where. Without an entry it is not asked, and policies alone decide.
    pub allow: Vec<AllowRule>,
}

/// `[shadow]`: policies that are only tried out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Shadow {
    /// Their allow list, as `authorization.allow`.
    pub allow: Vec<AllowRule>,
    /// Their components, as `[[policies]]`.
    pub policies: Vec<gateway_policy::Spec>,
    /// How many requests may wait for them; more are left out and counted. A reload does not change it.
    pub waiting: NonZeroUsize,
}

/// `[policy-engine]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PolicyEngine {
    /// Where compiled policies are kept, so that a start need not compile them again; empty for nowhere.
    pub cache_directory: PathBuf,
    /// Policies that run at once on this node; more wait, within their deadlines.
    pub slots: NonZeroUsize,
    /// The most memory that any one policy can have, in bytes. Times `slots` it bounds all of them.
    pub memory_bytes: NonZeroUsize,
    /// Whether a policy that cannot be loaded keeps the gateway from starting, instead of denying what it is bound to.
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
