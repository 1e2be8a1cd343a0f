//! Quotas: limits for containers, pods, namespaces and the whole store.

use std::fmt;
use std::time::Duration;

use gateway_core::Target;
use serde::{Deserialize, Serialize};

/// Limits on how much is kept, and for how long. There are none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quota {
    /// For each container, by its name: a container that was started again is the same.
    pub container: Limits,
    /// For each pod, by its name.
    pub pod: Limits,
    /// For each namespace.
    pub namespace: Limits,
    /// For the whole store.
    pub total: Limits,
    /// The age at which [`crate::Store::retain`] removes a checkpoint.
    pub max_age: Option<Duration>,
    /// The reaction to a checkpoint that would break a limit.
    pub when_full: WhenFull,
}

/// Limits of one scope; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Archives and originals together, in bytes.
    pub bytes: Option<u64>,
    /// Checkpoints.
    pub count: Option<u64>,
}

/// The reaction to a new checkpoint that would break a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// The new checkpoint is refused.
    #[default]
    Refuse,
    /// The oldest checkpoints without a hold are removed, if that frees enough.
    DeleteOldest,
}

/// The set of checkpoints that a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One container of one pod.
    Container,
    /// One pod.
    Pod,
    /// One namespace.
    Namespace,
    /// The whole store.
    Total,
}

/// A limit that a new checkpoint would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A number of bytes.
    Bytes(u64),
    /// A number of checkpoints.
    Count(u64),
}

/// An amount that counts against limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) bytes: u64,
    pub(crate) count: u64,
}

impl Quota {
    /// The limits, from the narrowest scope to the widest.
    pub(crate) fn limits(&self) -> [(Scope, Limits); 4] {
        [
            (Scope::Container, self.container),
            (Scope::Pod, self.pod),
            (Scope::Namespace, self.namespace),
            (Scope::Total, self.total),
        ]
    }
}

impl Limits {
    /// The limit that `usage` breaks.
    pub(crate) fn broken_by(&self, usage: Usage) -> Option<Limit> {
        let count = self
            .count
            .filter(|max| usage.count > *max)
            .map(Limit::Count);
        count.or_else(|| {
            self.bytes
                .filter(|max| usage.bytes > *max)
                .map(Limit::Bytes)
        })
    }
}

impl Scope {
    /// All scopes, from the narrowest to the widest.
    pub(crate) const ALL: [Self; 4] = [Self::Container, Self::Pod, Self::Namespace, Self::Total];

    /// Its name in errors and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Pod => "pod",
            Self::Namespace => "namespace",
            Self::Total => "store",
        }
    }

    /// The key of the scope that `target` is in. No part of a target holds a slash.
    pub(crate) fn key(self, target: &Target) -> String {
        match self {
            Self::Container => target.to_string(),
            Self::Pod => format!("{}/{}", target.namespace(), target.pod()),
            Self::Namespace => target.namespace().to_owned(),
            Self::Total => String::new(),
        }
    }

    /// Whether both targets are in the same scope of this kind.
    pub(crate) fn contains_both(self, one: &Target, other: &Target) -> bool {
        let namespace = one.namespace() == other.namespace();
        let pod = namespace && one.pod() == other.pod();
        match self {
            Self::Container => pod && one.container() == other.container(),
            Self::Pod => pod,
            Self::Namespace => namespace,
            Self::Total => true,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(max) => write!(f, "{max} bytes"),
            Self::Count(1) => f.write_str("1 checkpoint"),
            Self::Count(max) => write!(f, "{max} checkpoints"),
        }
    }
}

impl Usage {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            count: self.count.saturating_add(other.count),
        }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            count: self.count.saturating_sub(other.count),
        }
    }
}
