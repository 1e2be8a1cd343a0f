//! Sandboxes and containers on a node.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::checkpoint_lock::CheckpointLock;
use crate::pod::{ContainerSpec, Pod, RunningContainer};
use crate::process::Process;

/// A pod on this node.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) id: String,
    pub(crate) uid: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) created_at: jiff::Timestamp,
}

/// A container on this node.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) spec: ContainerSpec,
    pub(crate) attempt: u32,
    pub(crate) image_ref: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) created_at: jiff::Timestamp,
    /// The folder for the container's own data.
    pub(crate) folder: PathBuf,
    /// The working directory, within `folder`.
    pub(crate) rootfs: PathBuf,
    pub(crate) log_path: PathBuf,
    pub(crate) process: Arc<Process>,
    pub(crate) checkpoint_lock: Arc<CheckpointLock>,
}

impl Sandbox {
    pub(crate) fn new(pod: &Pod) -> Self {
        let uid = uuid::Uuid::new_v4().hyphenated().to_string();
        let mut labels = pod.labels.clone();
        labels.extend([
            ("io.kubernetes.pod.name".to_owned(), pod.name.clone()),
            (
                "io.kubernetes.pod.namespace".to_owned(),
                pod.namespace.clone(),
            ),
            ("io.kubernetes.pod.uid".to_owned(), uid.clone()),
        ]);
        Self {
            id: new_id(),
            uid,
            namespace: pod.namespace.clone(),
            name: pod.name.clone(),
            labels,
            annotations: pod.annotations.clone(),
            created_at: jiff::Timestamp::now(),
        }
    }

    /// The labels that a kubelet gives a container of this pod: its own, and those that refer to the pod.
    pub(crate) fn container_labels(&self, spec: &ContainerSpec) -> BTreeMap<String, String> {
        let mut labels = spec.labels.clone();
        let kubernetes = self
            .labels
            .iter()
            .filter(|(key, _)| key.starts_with("io.kubernetes.pod."));
        labels.extend(kubernetes.map(|(key, value)| (key.clone(), value.clone())));
        labels.insert("io.kubernetes.container.name".to_owned(), spec.name.clone());
        labels
    }
}

impl Container {
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid().as_raw_nonzero().get().unsigned_abs()
    }

    pub(crate) fn running(&self) -> RunningContainer {
        RunningContainer {
            name: self.spec.name.clone(),
            id: self.id.clone(),
            pid: self.pid(),
            log_path: self.log_path.clone(),
            working_directory: self.rootfs.clone(),
        }
    }
}

/// A new full id: 64 random hex digits, so that prefixes differ too.
pub(crate) fn new_id() -> String {
    let [one, other] = [(); 2].map(|()| uuid::Uuid::new_v4().simple().to_string());
    one + &other
}
