//! The fields of a request that can be kept out of logs, traces and audit records.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name of a hidden field, in bytes.
const NAME_MAX: usize = 256;

/// A field of a request that a redaction plan keeps out of logs, traces and audit records. In JSON and in plans it is a
/// text: `identity.user`, `target.labels.owner`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum HiddenField {
    /// The caller's user name, and the claims, which name the user too: `identity.user`.
    User,
    /// The caller's groups, and the claims, which list them too: `identity.groups`.
    Groups,
    /// All claims of the caller: `identity.claims`.
    Claims,
    /// One claim of the caller: `identity.claims.NAME`.
    Claim(String),
    /// The container's image: `target.image`.
    Image,
    /// One label of the container: `target.labels.NAME`.
    Label(String),
    /// One annotation of the container: `target.annotations.NAME`.
    Annotation(String),
    /// One label of the pod: `target.pod-labels.NAME`.
    PodLabel(String),
    /// One annotation of the pod: `target.pod-annotations.NAME`.
    PodAnnotation(String),
    /// The caller's reason: `reason`.
    Reason,
    /// The address that the connection comes from: `source-address`.
    SourceAddress,
    /// The headers that policies get: `headers`.
    Headers,
    /// The user who took the checkpoint that the request is about: `archive.created_by`. Set by the gateway where the plan
    /// of that checkpoint hides the user; a policy cannot name it.
    ArchiveCreator,
    /// The user who took the container's newest checkpoint: `latest.created_by`. Set by the gateway, as the one above.
    LatestCreator,
}

/// A text that names no field that can be hidden.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a field of a request that can be hidden")]
pub struct ParseHiddenFieldError(String);

impl HiddenField {
    /// Whether a policy's plan may name it.
    pub fn may_be_planned(&self) -> bool {
        !matches!(self, Self::ArchiveCreator | Self::LatestCreator)
    }

    /// Whether it belongs to the container rather than to the caller or the connection.
    pub fn is_of_container(&self) -> bool {
        matches!(
            self,
            Self::Image
                | Self::Label(_)
                | Self::Annotation(_)
                | Self::PodLabel(_)
                | Self::PodAnnotation(_)
        )
    }

    fn with_fixed_name(name: &str) -> Option<Self> {
        Some(match name {
            "identity.user" => Self::User,
            "identity.groups" => Self::Groups,
            "identity.claims" => Self::Claims,
            "target.image" => Self::Image,
            "reason" => Self::Reason,
            "source-address" => Self::SourceAddress,
            "headers" => Self::Headers,
            "archive.created_by" => Self::ArchiveCreator,
            "latest.created_by" => Self::LatestCreator,
            _ => return None,
        })
    }

    fn in_map(name: &str) -> Option<Self> {
        let key = |map: &str| {
            let key = name.strip_prefix(map).filter(|key| !key.is_empty());
            key.map(str::to_owned)
        };
        key("identity.claims.")
            .map(Self::Claim)
            .or_else(|| key("target.labels.").map(Self::Label))
            .or_else(|| key("target.annotations.").map(Self::Annotation))
            .or_else(|| key("target.pod-labels.").map(Self::PodLabel))
            .or_else(|| key("target.pod-annotations.").map(Self::PodAnnotation))
    }
}

/// In the order of the names: records list hidden fields in it.
impl Ord for HiddenField {
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_string().cmp(&other.to_string())
    }
}

impl PartialOrd for HiddenField {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for HiddenField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("identity.user"),
            Self::Groups => f.write_str("identity.groups"),
            Self::Claims => f.write_str("identity.claims"),
            Self::Claim(name) => write!(f, "identity.claims.{name}"),
            Self::Image => f.write_str("target.image"),
            Self::Label(name) => write!(f, "target.labels.{name}"),
            Self::Annotation(name) => write!(f, "target.annotations.{name}"),
            Self::PodLabel(name) => write!(f, "target.pod-labels.{name}"),
            Self::PodAnnotation(name) => write!(f, "target.pod-annotations.{name}"),
            Self::Reason => f.write_str("reason"),
            Self::SourceAddress => f.write_str("source-address"),
            Self::Headers => f.write_str("headers"),
            Self::ArchiveCreator => f.write_str("archive.created_by"),
            Self::LatestCreator => f.write_str("latest.created_by"),
        }
    }
}

impl From<HiddenField> for String {
    fn from(field: HiddenField) -> Self {
        field.to_string()
    }
}

impl FromStr for HiddenField {
    type Err = ParseHiddenFieldError;

    fn from_str(name: &str) -> Result<Self, ParseHiddenFieldError> {
        let fits = name.len() <= NAME_MAX && !name.chars().any(char::is_control);
        let field = || Self::with_fixed_name(name).or_else(|| Self::in_map(name));
        fits.then(field)
            .flatten()
            .ok_or_else(|| ParseHiddenFieldError(crate::one_line(name, NAME_MAX)))
    }
}

impl TryFrom<String> for HiddenField {
    type Error = ParseHiddenFieldError;

    fn try_from(name: String) -> Result<Self, ParseHiddenFieldError> {
        name.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_every_name_as_it_was_read() {
        for name in [
            "identity.user",
            "identity.groups",
            "identity.claims",
            "identity.claims.sub",
            "target.image",
            "target.labels.app.kubernetes.io/name",
            "target.annotations.made-of",
            "target.pod-labels.owner",
            "target.pod-annotations.x",
            "reason",
            "source-address",
            "headers",
            "archive.created_by",
            "latest.created_by",
        ] {
            let field: HiddenField = name.parse().unwrap();
            assert_eq!(field.to_string(), name);
            let json = serde_json::to_string(&field).unwrap();
            assert_eq!(json, format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<HiddenField>(&json).unwrap(), field);
        }
    }

    #[test]
    fn rejects_unknown_names() {
        let long = format!("target.labels.{}", "x".repeat(NAME_MAX));
        for name in [
            "",
            "id",
            "identity.usr",
            "identity",
            "target.labels",
            "target.labels.",
            "target.labels.a\nb",
            "headers.x",
            long.as_str(),
        ] {
            assert!(name.parse::<HiddenField>().is_err(), "{name:?}");
        }
    }
}
