//! Pods and containers as callers describe them.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A pod to run, as a kubelet would request it.
#[derive(Debug, Clone, Default)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels; Kubernetes' own (`io.kubernetes.pod.name`, ...) are added.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its containers, started in this order.
    pub containers: Vec<ContainerSpec>,
}

impl Pod {
    /// A pod with these containers and no labels or annotations.
    pub fn new(
        namespace: impl Into<String>,
        name: impl Into<String>,
        containers: impl IntoIterator<Item = ContainerSpec>,
    ) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            containers: containers.into_iter().collect(),
            ..Self::default()
        }
    }
}

/// A container to run: a real process, and the processes that it starts.
#[derive(Debug, Clone, Default)]
pub struct ContainerSpec {
    /// Its name within the pod.
    pub name: String,
    /// The name of its image. No image is pulled.
    pub image: String,
    /// A program on this machine and its arguments.
    pub command: Vec<String>,
    /// The whole environment; none is inherited.
    pub env: Vec<(String, String)>,
    /// Its labels; Kubernetes' own (`io.kubernetes.container.name`, ...) are added.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Files in its working directory, by relative path. They and the files that the process adds become `rootfs-diff.tar`.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl ContainerSpec {
    /// A container named `name` that runs `command` with an empty environment.
    pub fn new<C: Into<String>>(
        name: impl Into<String>,
        command: impl IntoIterator<Item = C>,
    ) -> Self {
        let name = name.into();
        Self {
            image: format!("localhost/{name}:1"),
            name,
            command: command.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// The same with one more variable in its environment.
    #[must_use]
    pub fn env(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }
}

/// A pod that runs.
#[derive(Debug, Clone)]
pub struct RunningPod {
    /// Kubernetes' UID of the pod.
    pub uid: String,
    /// The full id of its sandbox: 64 hex digits.
    pub sandbox_id: String,
    /// Its containers, in the order of the [`Pod`].
    pub containers: Vec<RunningContainer>,
}

impl RunningPod {
    /// The container named `name`.
    pub fn container(&self, name: &str) -> Option<&RunningContainer> {
        self.containers
            .iter()
            .find(|container| container.name == name)
    }
}

/// A container that runs, or ran.
#[derive(Debug, Clone)]
pub struct RunningContainer {
    /// Its name within the pod.
    pub name: String,
    /// Its full id: 64 hex digits.
    pub id: String,
    /// Its first process, which leads the container's process group.
    pub pid: u32,
    /// Its log, in the format of Kubernetes: `TIMESTAMP stdout F line`.
    pub log_path: PathBuf,
    /// Its working directory, which holds its files.
    pub working_directory: PathBuf,
}
