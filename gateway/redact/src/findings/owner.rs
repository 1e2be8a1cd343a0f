//! Whose archive it is: whether documents, labels and metadata name the same container.

use std::collections::BTreeMap;

use gateway_core::{FindingCode, Target};
use serde::Deserialize;

use super::list::FindingList;
use crate::oci::{ContainerConfig, Spec};

/// The container that an archive is expected to be of, from a request or from the metadata beside the archive.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The container's name.
    pub target: &'a Target,
    /// The pod's uid; empty where it is unknown.
    pub pod_uid: &'a str,
}

/// A part of a container's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Namespace,
    Pod,
    Container,
    Uid,
}

/// Keys of annotations and labels: containerd's, Kubernetes' and CRI-O's.
const KEYS: [(&str, Part); 11] = [
    ("io.kubernetes.cri.sandbox-namespace", Part::Namespace),
    ("io.kubernetes.pod.namespace", Part::Namespace),
    ("io.kubernetes.cri-o.Namespace", Part::Namespace),
    ("io.kubernetes.cri.sandbox-name", Part::Pod),
    ("io.kubernetes.pod.name", Part::Pod),
    ("io.kubernetes.cri-o.KubeName", Part::Pod),
    ("io.kubernetes.cri.container-name", Part::Container),
    ("io.kubernetes.container.name", Part::Container),
    ("io.kubernetes.cri.sandbox-uid", Part::Uid),
    ("io.kubernetes.pod.uid", Part::Uid),
    ("io.kubernetes.cri-o.PodUID", Part::Uid),
];
/// CRI-O's annotation with the container's labels as JSON.
const CRIO_LABELS: &str = "io.kubernetes.cri-o.Labels";
/// CRI-O's annotation with the name that it gives the container: `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`.
const CRIO_NAME: &str = "io.kubernetes.cri-o.Name";
/// The largest document, in bytes.
const MAX_DOCUMENT: u64 = 16 << 20;
/// The most different statements of one part.
const MAX_STATEMENTS: usize = 8;

/// The names that documents give the container.
#[derive(Debug, Default)]
pub(super) struct OwnerSurvey {
    /// By part: each different name, with the first source of it.
    named: BTreeMap<Part, Vec<(String, &'static str)>>,
    unreadable: Vec<&'static str>,
}

/// `status.dump`: the runtime's answer to `ContainerStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    metadata: Option<StatusMetadata>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusMetadata {
    name: Option<String>,
}

impl OwnerSurvey {
    /// Adds the names that the caller expects.
    pub(super) fn expect(&mut self, owner: Owner<'_>) {
        let source = "the metadata";
        self.add(Part::Namespace, owner.target.namespace(), source);
        self.add(Part::Pod, owner.target.pod(), source);
        self.add(Part::Container, owner.target.container(), source);
        self.add(Part::Uid, owner.pod_uid, source);
    }

    /// The bytes of the document `name` that are needed; `None` for members that name no container.
    pub(super) fn wanted(name: &[u8]) -> Option<u64> {
        matches!(name, b"spec.dump" | b"status.dump" | b"config.dump").then_some(MAX_DOCUMENT)
    }

    /// Reads the names in the document `name`.
    pub(super) fn add_document(&mut self, name: &[u8], text: &[u8]) {
        let (source, read) = match name {
            b"spec.dump" => ("spec.dump", self.add_spec(text)),
            b"status.dump" => ("status.dump", self.add_status(text)),
            b"config.dump" => ("config.dump", self.add_config(text)),
            _ => return,
        };
        if read.is_none() && !self.unreadable.contains(&source) {
            self.unreadable.push(source);
        }
    }

    /// Lists the conflicts.
    pub(super) fn report(&self, list: &mut FindingList) {
        for source in &self.unreadable {
            let message = format!("`{source}` is not the document that its name says");
            if *source == "spec.dump" {
                list.fatal(FindingCode::SpecMissing, source, &message);
            } else {
                list.note(FindingCode::DocumentUnreadable, source, &message);
            }
        }
        for (part, names) in &self.named {
            let Some(((first, source), others)) = names.split_first() else {
                continue;
            };
            for (other, another) in others {
                let part = part.as_str();
                let message = format!(
                    "{source} names the {part} `{first}`, and {another} names another: `{other}`"
                );
                list.fatal(FindingCode::OwnerConflict, another, &message);
            }
        }
    }

    fn add_spec(&mut self, text: &[u8]) -> Option<()> {
        let spec: Spec = serde_json::from_slice(text).ok()?;
        let annotations = spec.unwrapped()?.annotations.unwrap_or_default();
        self.add_keys(&annotations, "spec.dump");
        let labels = annotations.get(CRIO_LABELS);
        let labels = labels.and_then(|labels| serde_json::from_str(labels).ok());
        self.add_keys(&labels.unwrap_or_default(), "the labels in spec.dump");
        if let Some(name) = annotations.get(CRIO_NAME) {
            self.add_runtime_name(name, "the runtime's name in spec.dump");
        }
        Some(())
    }

    fn add_status(&mut self, text: &[u8]) -> Option<()> {
        let status: Status = serde_json::from_slice(text).ok()?;
        self.add_keys(&status.labels.unwrap_or_default(), "status.dump");
        let name = status.metadata.and_then(|metadata| metadata.name);
        self.add(Part::Container, &name.unwrap_or_default(), "status.dump");
        Some(())
    }

    fn add_config(&mut self, text: &[u8]) -> Option<()> {
        let config: ContainerConfig = serde_json::from_slice(text).ok()?;
        self.add_runtime_name(&config.name.unwrap_or_default(), "config.dump");
        Some(())
    }

    fn add_keys(&mut self, texts: &BTreeMap<String, String>, source: &'static str) {
        for (key, part) in KEYS {
            if let Some(name) = texts.get(key) {
                self.add(part, name, source);
            }
        }
    }

    /// The name that runtimes compose; no part of it can have an underscore in it.
    fn add_runtime_name(&mut self, name: &str, source: &'static str) {
        let name = name.strip_prefix("k8s_").unwrap_or(name);
        let parts: Vec<_> = name.split('_').collect();
        if let [container, pod, namespace, uid, _attempt] = parts.as_slice() {
            self.add(Part::Container, container, source);
            self.add(Part::Pod, pod, source);
            self.add(Part::Namespace, namespace, source);
            self.add(Part::Uid, uid, source);
        }
    }

    /// Names that redaction has masked say nothing.
    fn add(&mut self, part: Part, name: &str, source: &'static str) {
        let names = self.named.entry(part).or_default();
        let known = names.iter().any(|(known, _)| known == name);
        if !name.is_empty() && !name.contains('*') && !known && names.len() < MAX_STATEMENTS {
            names.push((name.to_owned(), source));
        }
    }
}

impl Part {
    fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Pod => "pod",
            Self::Container => "container",
            Self::Uid => "pod uid",
        }
    }
}
