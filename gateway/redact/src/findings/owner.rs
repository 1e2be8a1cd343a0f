//! Whose archive it is: whether documents, labels and metadata name the same container.

use std::collections::BTreeMap;

use gateway_core::{FindingCode, Target};

use super::documents::{KnownTexts, MetadataName, NamePart, SpecNames, Statement, StatusNames};
use crate::finding_list::FindingList;
use crate::oci::ContainerConfig;

/// The container that an archive is expected to be of, from a request or from the metadata beside the archive.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The container's name.
    pub target: &'a Target,
    /// The pod's uid; empty where it is unknown.
    pub pod_uid: &'a str,
    /// The source of these names, for messages: `the request`, `the metadata`.
    pub named_by: &'static str,
}

/// The largest document, in bytes.
const MAX_DOCUMENT: u64 = 8 << 20;
/// The name that containerd 2.1 gives a restored container in its annotations, whatever the name in the pod.
const CONTAINERD: &str = "containerd";
/// The most different statements of one part.
const MAX_STATEMENTS: usize = 8;

/// The names that documents give the container.
#[derive(Debug, Default)]
pub(super) struct OwnerSurvey {
    /// By part: each different name, with the first source of it.
    named: BTreeMap<NamePart, Vec<(String, &'static str)>>,
    unreadable: Vec<&'static str>,
    /// Whether `spec.dump` gives the container the name [`CONTAINERD`].
    is_containerd: bool,
    /// Whether `status.dump` says that the container was restored.
    restored: bool,
}

impl OwnerSurvey {
    /// Adds the names that the caller expects.
    pub(super) fn expect(&mut self, owner: Owner<'_>) {
        let source = owner.named_by;
        self.add(NamePart::Namespace, owner.target.namespace(), source);
        self.add(NamePart::Pod, owner.target.pod(), source);
        self.add(NamePart::Container, owner.target.container(), source);
        self.add(NamePart::Uid, owner.pod_uid, source);
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
    pub(super) fn report(mut self, list: &mut FindingList) {
        if self.is_containerd && !self.restored {
            self.add(NamePart::Container, CONTAINERD, "spec.dump");
        }
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
        for (statement, text) in SpecNames::read(text)?.0 {
            self.add_statement(statement, &text, "spec.dump");
        }
        Some(())
    }

    fn add_status(&mut self, text: &[u8]) -> Option<()> {
        let status: StatusNames = serde_json::from_slice(text).ok()?;
        self.add_labels(status.labels.unwrap_or_default(), "status.dump");
        let annotations = status.annotations.unwrap_or_default().0;
        let mut annotations = annotations.into_iter();
        self.restored |=
            annotations.any(|(statement, text)| statement == Statement::Restored && text == "true");
        let name = status.metadata.and_then(|metadata| metadata.name);
        self.add(
            NamePart::Container,
            &name.unwrap_or_default(),
            "status.dump",
        );
        Some(())
    }

    fn add_config(&mut self, text: &[u8]) -> Option<()> {
        let config: ContainerConfig = serde_json::from_slice(text).ok()?;
        self.add_runtime_name(&config.name.unwrap_or_default(), "config.dump");
        Some(())
    }

    fn add_statement(&mut self, statement: Statement, text: &str, source: &'static str) {
        match statement {
            Statement::Part(NamePart::Container) if text == CONTAINERD => {
                self.is_containerd = true;
            }
            Statement::Part(part) => self.add(part, text, source),
            Statement::Restored => {}
            Statement::Labels => {
                let labels = serde_json::from_str(text).unwrap_or_default();
                self.add_labels(labels, "the labels in spec.dump");
            }
            Statement::Metadata => {
                let metadata: MetadataName = serde_json::from_str(text).unwrap_or_default();
                let name = metadata.name.unwrap_or_default();
                self.add(NamePart::Container, &name, "the metadata in spec.dump");
            }
            Statement::ContainerName => {
                self.add_runtime_name(text, "the runtime's name in spec.dump");
            }
            Statement::SandboxName => {
                // As the container's, without its first part.
                let name = text.strip_prefix("k8s_").unwrap_or(text);
                let source = "the sandbox's name in spec.dump";
                self.add_runtime_name(&format!("_{name}"), source);
            }
        }
    }

    /// Labels name the container; what else may be in them is not followed.
    fn add_labels(&mut self, labels: KnownTexts, source: &'static str) {
        for (statement, text) in labels.0 {
            if let Statement::Part(part) = statement {
                self.add(part, &text, source);
            }
        }
    }

    /// The name that runtimes compose; no part of it can have an underscore in it.
    fn add_runtime_name(&mut self, name: &str, source: &'static str) {
        let name = name.strip_prefix("k8s_").unwrap_or(name);
        let parts: Vec<_> = name.split('_').collect();
        if let [container, pod, namespace, uid, _attempt] = parts.as_slice() {
            self.add(NamePart::Container, container, source);
            self.add(NamePart::Pod, pod, source);
            self.add(NamePart::Namespace, namespace, source);
            self.add(NamePart::Uid, uid, source);
        }
    }

    /// Names that redaction has masked say nothing.
    fn add(&mut self, part: NamePart, name: &str, source: &'static str) {
        let names = self.named.entry(part).or_default();
        let known = names.iter().any(|(known, _)| known == name);
        if !name.is_empty() && !name.contains('*') && !known && names.len() < MAX_STATEMENTS {
            names.push((name.to_owned(), source));
        }
    }
}

impl NamePart {
    fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Pod => "pod",
            Self::Container => "container",
            Self::Uid => "pod uid",
        }
    }
}
