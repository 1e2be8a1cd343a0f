//! Accessors of requests, and actions in settings.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::{Action, Container, Identity};

impl Action {
    /// All actions.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::List,
        Self::Inspect,
        Self::Download,
        Self::DownloadOriginal,
        Self::Hold,
        Self::Delete,
    ];

    /// The name in settings and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::List => "list",
            Self::Inspect => "inspect",
            Self::Download => "download",
            Self::DownloadOriginal => "download-original",
            Self::Hold => "hold",
            Self::Delete => "delete",
        }
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::ALL
            .into_iter()
            .find(|action| action.as_str() == name)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::as_str).join(", ");
                D::Error::custom(format_args!(
                    "unknown action `{name}`, expected one of {known}"
                ))
            })
    }
}

impl Identity {
    /// Whether the caller is a member of the group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }

    /// Whether the caller is a member of one of the groups.
    pub fn is_in_any(&self, groups: &[String]) -> bool {
        groups.iter().any(|group| self.is_in(group))
    }
}

impl Container {
    /// The value of a label of the pod.
    pub fn pod_label(&self, key: &str) -> Option<&str> {
        self.pod_labels
            .iter()
            .find(|(own, _)| own == key)
            .map(|(_, value)| value.as_str())
    }
}
