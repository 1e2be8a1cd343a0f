//! A container as the container runtime reports it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Target;

/// One running container, as the container runtime reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Container {
    /// The name in the caller's request.
    #[serde(flatten)]
    pub target: Target,
    /// The runtime's full id. Never a prefix: runtimes resolve those too.
    pub id: String,
    /// The full id of the pod's sandbox.
    pub sandbox_id: String,
    /// Kubernetes' UID of the pod.
    pub pod_uid: String,
    /// The image as the pod names it; if the runtime does not report that, as the runtime resolved it.
    pub image: String,
    /// The container's labels.
    pub labels: BTreeMap<String, String>,
    /// The container's annotations.
    pub annotations: BTreeMap<String, String>,
    /// The pod's labels.
    pub pod_labels: BTreeMap<String, String>,
    /// The pod's annotations.
    pub pod_annotations: BTreeMap<String, String>,
    /// Memory in use, in bytes, if the runtime reports it: an estimate of the archive's size.
    pub memory_bytes: Option<u64>,
}

impl Container {
    /// A container of which only the name and the full id are known.
    pub fn named(target: Target, id: impl Into<String>) -> Self {
        Self {
            target,
            id: id.into(),
            sandbox_id: String::new(),
            pod_uid: String::new(),
            image: String::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            pod_labels: BTreeMap::new(),
            pod_annotations: BTreeMap::new(),
            memory_bytes: None,
        }
    }
}
