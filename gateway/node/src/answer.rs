//! Describes sandboxes and containers in CRI's messages.

use std::collections::{BTreeMap, HashMap};

use gateway_proto::v1;
use procfs::process::{Process, Stat};

use crate::container::{Container, Sandbox};

impl Sandbox {
    pub(crate) fn listed(&self) -> v1::PodSandbox {
        v1::PodSandbox {
            id: self.id.clone(),
            metadata: Some(self.metadata()),
            state: v1::PodSandboxState::SandboxReady.into(),
            created_at: nanoseconds(self.created_at),
            labels: map(&self.labels),
            annotations: map(&self.annotations),
        }
    }

    pub(crate) fn status(&self) -> v1::PodSandboxStatus {
        v1::PodSandboxStatus {
            id: self.id.clone(),
            metadata: Some(self.metadata()),
            state: v1::PodSandboxState::SandboxReady.into(),
            created_at: nanoseconds(self.created_at),
            labels: map(&self.labels),
            annotations: map(&self.annotations),
        }
    }

    fn metadata(&self) -> v1::PodSandboxMetadata {
        v1::PodSandboxMetadata {
            name: self.name.clone(),
            uid: self.uid.clone(),
            namespace: self.namespace.clone(),
            attempt: 0,
        }
    }
}

impl Container {
    pub(crate) fn state(&self) -> v1::ContainerState {
        match self.process.exit() {
            None => v1::ContainerState::ContainerRunning,
            Some(_) => v1::ContainerState::ContainerExited,
        }
    }

    pub(crate) fn listed(&self) -> v1::Container {
        v1::Container {
            id: self.id.clone(),
            pod_sandbox_id: self.sandbox.id.clone(),
            metadata: Some(self.metadata()),
            image: Some(self.image()),
            image_ref: self.image_ref.clone(),
            state: self.state().into(),
            created_at: nanoseconds(self.created_at),
            labels: map(&self.labels),
            annotations: map(&self.annotations),
        }
    }

    pub(crate) fn status(&self) -> v1::ContainerStatus {
        let exit = self.process.exit();
        let (reason, code) = match exit {
            None => ("", 0),
            Some(exit) if exit.code == 0 => ("Completed", 0),
            Some(exit) => ("Error", exit.code),
        };
        v1::ContainerStatus {
            id: self.id.clone(),
            metadata: Some(self.metadata()),
            state: self.state().into(),
            created_at: nanoseconds(self.created_at),
            started_at: nanoseconds(self.created_at),
            finished_at: exit.map_or(0, |exit| nanoseconds(exit.at)),
            exit_code: code,
            image: Some(self.image()),
            image_ref: self.image_ref.clone(),
            reason: reason.to_owned(),
            message: String::new(),
            labels: map(&self.labels),
            annotations: map(&self.annotations),
            log_path: self.log_path.display().to_string(),
        }
    }

    /// The container's usage, from `/proc`; zero once it has ended.
    pub(crate) fn stats(&self) -> v1::ContainerStats {
        let members = match self.process.exit() {
            None => self.process.members().unwrap_or_default(),
            Some(_) => Vec::new(),
        };
        let bytes = Some(v1::UInt64Value {
            value: members.iter().map(resident).sum(),
        });
        v1::ContainerStats {
            attributes: Some(v1::ContainerAttributes {
                id: self.id.clone(),
                metadata: Some(self.metadata()),
                labels: map(&self.labels),
                annotations: map(&self.annotations),
            }),
            memory: Some(v1::MemoryUsage {
                timestamp: nanoseconds(jiff::Timestamp::now()),
                working_set_bytes: bytes,
                usage_bytes: bytes,
                rss_bytes: bytes,
            }),
        }
    }

    fn metadata(&self) -> v1::ContainerMetadata {
        v1::ContainerMetadata {
            name: self.spec.name.clone(),
            attempt: self.attempt,
        }
    }

    fn image(&self) -> v1::ImageSpec {
        v1::ImageSpec {
            image: self.spec.image.clone(),
            annotations: HashMap::new(),
            user_specified_image: self.spec.image.clone(),
        }
    }
}

/// The resident memory of one process, in bytes. `stat` lags behind by some hundred KiB for every processor, so it only
/// serves if the exact number cannot be read.
fn resident(stat: &Stat) -> u64 {
    let exact = || {
        let rollup = Process::new(stat.pid).ok()?.smaps_rollup().ok()?;
        rollup
            .memory_map_rollup
            .0
            .first()?
            .extension
            .map
            .get("Rss")
            .copied()
    };
    exact().unwrap_or_else(|| stat.rss.saturating_mul(procfs::page_size()))
}

/// A time in CRI's unit, nanoseconds since the Unix epoch.
pub(crate) fn nanoseconds(time: jiff::Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

fn map(pairs: &BTreeMap<String, String>) -> HashMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
