//! Names of containers, checked by the rules of Kubernetes.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a container: namespace, pod and container. Every part is a valid Kubernetes name, so it is safe in a path, a
/// label selector or a file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "RawTarget")]
pub struct Target {
    namespace: String,
    pod: String,
    container: String,
}

/// The parts of a [`Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A DNS label (RFC 1123): up to 63 characters.
    Namespace,
    /// A DNS subdomain (RFC 1123): up to 253 characters, labels between dots.
    Pod,
    /// A DNS label (RFC 1123): up to 63 characters.
    Container,
}

/// The reason why a text is not the name of a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTargetError {
    /// The text does not have three parts between slashes.
    #[error("expected NAMESPACE/POD/CONTAINER")]
    Arity,
    /// A part is not a valid name.
    #[error("the {part} is not a valid Kubernetes name: use {rule}")]
    Name {
        /// The invalid part.
        part: Part,
        /// The rule for that part.
        rule: &'static str,
    },
}

#[derive(Deserialize, JsonSchema)]
struct RawTarget {
    namespace: String,
    pod: String,
    container: String,
}

impl Target {
    /// The container `container` of the pod `pod` in `namespace`. Nothing is decoded, trimmed or folded.
    pub fn new(namespace: &str, pod: &str, container: &str) -> Result<Self, ParseTargetError> {
        Part::Namespace.check(namespace)?;
        Part::Pod.check(pod)?;
        Part::Container.check(container)?;
        Ok(Self {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            container: container.to_owned(),
        })
    }

    /// The pod's namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The pod's name.
    pub fn pod(&self) -> &str {
        &self.pod
    }

    /// The container's name within the pod.
    pub fn container(&self) -> &str {
        &self.container
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.namespace, self.pod, self.container)
    }
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, ParseTargetError> {
        let mut parts = text.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(namespace), Some(pod), Some(container), None) => {
                Self::new(namespace, pod, container)
            }
            _ => Err(ParseTargetError::Arity),
        }
    }
}

impl TryFrom<RawTarget> for Target {
    type Error = ParseTargetError;

    fn try_from(raw: RawTarget) -> Result<Self, ParseTargetError> {
        Self::new(&raw.namespace, &raw.pod, &raw.container)
    }
}

impl Part {
    fn check(self, name: &str) -> Result<(), ParseTargetError> {
        let (valid, rule) = match self {
            Self::Namespace | Self::Container => (
                is_label(name),
                "1 to 63 characters of a-z, 0-9 and `-`, with a letter or digit at both ends",
            ),
            Self::Pod => (
                is_subdomain(name),
                "1 to 253 characters of a-z, 0-9, `-` and `.`, with a letter or digit at both ends of each part",
            ),
        };
        if valid {
            Ok(())
        } else {
            Err(ParseTargetError::Name { part: self, rule })
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespace => "namespace",
            Self::Pod => "pod",
            Self::Container => "container",
        })
    }
}

fn is_label(name: &str) -> bool {
    (1..=63).contains(&name.len()) && has_label_shape(name)
}

/// As in Kubernetes, only the whole subdomain is bounded in length, not each of its labels.
fn is_subdomain(name: &str) -> bool {
    (1..=253).contains(&name.len()) && name.split('.').all(has_label_shape)
}

fn has_label_shape(label: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = label.as_bytes();
    bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accepts_kubernetes_names() {
        for text in [
            "shop/cart-0/app",
            "a/b/c",
            "kube-system/kube-proxy-x7z.node-1/1st",
        ] {
            assert_eq!(
                text.parse::<Target>()
                    .map(|target| target.to_string())
                    .as_deref(),
                Ok(text)
            );
        }
        let longest = format!("{}/{}/{}", "n".repeat(63), "p".repeat(253), "c".repeat(63));
        assert!(longest.parse::<Target>().is_ok());
    }

    #[test]
    fn rejects_other_names_and_names_the_wrong_part() {
        for name in [
            "", "..", ".", "A", "a_b", "-a", "a-", "%2e%2e", "a%2fb", "a;b", "a\\b", "a b", "ä",
            "a\0",
        ] {
            let part = |result: Result<Target, ParseTargetError>| match result {
                Err(ParseTargetError::Name { part, .. }) => part,
                other => panic!("{name:?}: {other:?}"),
            };
            assert_eq!(part(Target::new(name, "p", "c")), Part::Namespace);
            assert_eq!(part(Target::new("n", name, "c")), Part::Pod);
            assert_eq!(part(Target::new("n", "p", name)), Part::Container);
        }
        assert!(Target::new(&"n".repeat(64), "p", "c").is_err());
        assert!(Target::new("n", &"p".repeat(254), "c").is_err());
        assert!(
            Target::new("a.b", "p", "c").is_err(),
            "a namespace is one label"
        );
        assert!(Target::new("n", "a..b", "c").is_err());
    }

    #[test]
    fn rejects_a_wrong_number_of_parts() {
        for text in ["", "a", "a/b", "a/b/c/d"] {
            assert_eq!(
                text.parse::<Target>(),
                Err(ParseTargetError::Arity),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_parsed_target_is_safe_in_paths_and_selectors(text in "\\PC{0,40}|[a-z./-]{0,40}") {
            if let Ok(target) = text.parse::<Target>() {
                prop_assert_eq!(target.to_string(), text);
                for part in [target.namespace(), target.pod(), target.container()] {
                    prop_assert!(part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')));
                    prop_assert!(!part.starts_with('.') && !part.contains(".."));
                }
            }
        }
    }
}
