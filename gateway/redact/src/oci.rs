//! The runtimes' JSON documents, as far as inspection reads them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// `config.dump`, in both runtimes' form (checkpointctl, `lib/metadata.go`).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ContainerConfig {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) rootfs_image: Option<String>,
    pub(crate) rootfs_image_name: Option<String>,
    pub(crate) rootfs_image_ref: Option<String>,
    pub(crate) runtime: Option<String>,
    pub(crate) created_time: Option<String>,
    pub(crate) checkpointed_time: Option<String>,
}

/// `spec.dump`: an OCI runtime specification, or containerd's wrapping of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Spec {
    /// The specification itself in base64, where it is wrapped.
    value: Option<String>,
    process: Option<SpecProcess>,
    pub(crate) mounts: Option<Vec<SpecMount>>,
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SpecProcess {
    env: Option<Vec<String>>,
}

/// A mount in a specification.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SpecMount {
    pub(crate) destination: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) source: Option<String>,
}

impl Spec {
    /// Whether it only wraps the specification, as containerd's does.
    pub(crate) fn is_wrapped(&self) -> bool {
        self.value.is_some()
    }

    /// The specification itself; `None` if what is wrapped cannot be read.
    pub(crate) fn unwrapped(self) -> Option<Self> {
        let Some(value) = self.value else {
            return Some(self);
        };
        let inner = STANDARD.decode(value).ok()?;
        serde_json::from_slice(&inner).ok()
    }

    /// The container's environment.
    pub(crate) fn environment(&self) -> &[String] {
        let env = self
            .process
            .as_ref()
            .and_then(|process| process.env.as_deref());
        env.unwrap_or_default()
    }
}
