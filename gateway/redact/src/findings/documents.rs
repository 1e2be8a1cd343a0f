//! The names in the runtimes' documents. Of a map of texts only known keys are kept, whatever the number of others.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// A part of a container's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NamePart {
    Namespace,
    Pod,
    Container,
    Uid,
}

/// What the text of a known key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statement {
    /// A part of the name.
    Part(NamePart),
    /// The container's labels as JSON.
    Labels,
    /// The container's own part as JSON: CRI's `ContainerMetadata`.
    Metadata,
    /// The name that the runtime gives the container: `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`.
    ContainerName,
    /// The name that the runtime gives the pod's sandbox: `k8s_POD_NAMESPACE_UID_ATTEMPT`.
    SandboxName,
    /// Whether the runtime restored the container from a checkpoint.
    Restored,
}

/// Keys of annotations and labels: containerd's, Kubernetes' and CRI-O's.
const KEYS: [(&str, Statement); 16] = [
    (
        "io.kubernetes.cri.sandbox-namespace",
        Statement::Part(NamePart::Namespace),
    ),
    (
        "io.kubernetes.pod.namespace",
        Statement::Part(NamePart::Namespace),
    ),
    (
        "io.kubernetes.cri-o.Namespace",
        Statement::Part(NamePart::Namespace),
    ),
    (
        "io.kubernetes.cri.sandbox-name",
        Statement::Part(NamePart::Pod),
    ),
    ("io.kubernetes.pod.name", Statement::Part(NamePart::Pod)),
    (
        "io.kubernetes.cri-o.KubeName",
        Statement::Part(NamePart::Pod),
    ),
    (
        "io.kubernetes.cri.container-name",
        Statement::Part(NamePart::Container),
    ),
    (
        "io.kubernetes.container.name",
        Statement::Part(NamePart::Container),
    ),
    (
        "io.kubernetes.cri.sandbox-uid",
        Statement::Part(NamePart::Uid),
    ),
    ("io.kubernetes.pod.uid", Statement::Part(NamePart::Uid)),
    ("io.kubernetes.cri-o.PodUID", Statement::Part(NamePart::Uid)),
    ("io.kubernetes.cri-o.Labels", Statement::Labels),
    ("io.kubernetes.cri-o.Metadata", Statement::Metadata),
    ("io.kubernetes.cri-o.Name", Statement::ContainerName),
    ("io.kubernetes.cri-o.SandboxName", Statement::SandboxName),
    ("restored", Statement::Restored),
];
/// The most texts of one map. More than these have a key twice.
const MAX_TEXTS: usize = 2 * KEYS.len();

/// `spec.dump`: an OCI runtime specification, or containerd's wrapping of one.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct SpecNames {
    /// The specification itself in base64, where it is wrapped.
    value: Option<String>,
    annotations: Option<KnownTexts>,
}

/// `status.dump`: the runtime's answer to `ContainerStatus`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct StatusNames {
    pub(super) metadata: Option<MetadataName>,
    pub(super) labels: Option<KnownTexts>,
    pub(super) annotations: Option<KnownTexts>,
}

/// CRI's `ContainerMetadata`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct MetadataName {
    #[serde(alias = "Name")]
    pub(super) name: Option<String>,
}

/// The texts of known keys, in their order.
#[derive(Debug, Default)]
pub(super) struct KnownTexts(pub(super) Vec<(Statement, String)>);

impl SpecNames {
    /// Reads a specification, wrapped or not.
    pub(super) fn read(text: &[u8]) -> Option<KnownTexts> {
        let mut spec: Self = serde_json::from_slice(text).ok()?;
        if let Some(value) = spec.value {
            let inner = STANDARD.decode(value).ok()?;
            spec = serde_json::from_slice(&inner).ok()?;
        }
        Some(spec.annotations.unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for KnownTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Texts)
    }
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = KnownTexts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KnownTexts, A::Error> {
        let mut texts = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let known = KEYS.iter().find(|(known, _)| *known == key);
            match known.filter(|_| texts.len() < MAX_TEXTS) {
                Some((_, statement)) => texts.push((*statement, map.next_value()?)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(KnownTexts(texts))
    }
}
