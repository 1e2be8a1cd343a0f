//! The contents of an archive as an inspection reports them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finding;
use crate::open_file::{OpenFile, OpenSocket};

/// The contents of an archive without values of environment variables. Every text is one bounded line; `truncated` and
/// `unreadable` name what did not fit or could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inspection {
    /// The runtime that wrote the archive, if its members show it.
    pub dialect: Option<Dialect>,
    /// The container, from `config.dump` and `spec.dump`.
    pub container: InspectedContainer,
    /// The CRIU that dumped the processes.
    pub criu: Criu,
    /// The names of the environment variables in `spec.dump`, in its order.
    pub env: Vec<String>,
    /// The mounts in `spec.dump`, in its order.
    pub mounts: Vec<Mount>,
    /// The annotations in `spec.dump`. In their values everything is masked that looks like a secret.
    /// `kubectl.kubernetes.io/last-applied-configuration` is left out.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// The statistics that CRIU wrote about the dump (`stats-dump`).
    #[serde(default)]
    pub statistics: Option<DumpStatistics>,
    /// The processes, in the order of `pstree.img`: parents come before their children.
    pub processes: Vec<Process>,
    /// Sizes of the archive and its contents.
    pub sizes: Sizes,
    /// The archive's members, in its order.
    pub members: Vec<Member>,
    /// The number of members, including those that are not listed.
    pub member_count: u64,
    /// Whether something was left out because a bound was reached.
    pub truncated: bool,
    /// Members whose contents do not match their names.
    pub unreadable: Vec<String>,
    /// Parts that the archive lacks, contradictions in it, and what else its receiver should know; the fatal ones first.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// The runtime that wrote an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Dialect {
    /// containerd.
    Containerd,
    /// CRI-O.
    CriO,
}

impl Dialect {
    /// The name that the runtime reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::CriO => "cri-o",
        }
    }
}

/// A container as its runtime describes it in an archive. Missing information is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InspectedContainer {
    /// The runtime's full id.
    pub id: Option<String>,
    /// The runtime's name for the container.
    pub runtime_name: Option<String>,
    /// Its name in its pod.
    pub name: Option<String>,
    /// The pod's name.
    pub pod: Option<String>,
    /// The pod's namespace.
    pub namespace: Option<String>,
    /// The image, as the pod names it.
    pub image: Option<String>,
    /// The image's name as the runtime resolved it.
    pub image_name: Option<String>,
    /// The image's digest or id.
    pub image_ref: Option<String>,
    /// The OCI runtime: `runc`, `crun`, ...
    pub oci_runtime: Option<String>,
    /// The handler of the pod's runtime class, if the runtime names it (CRI-O does).
    #[serde(default)]
    pub runtime_class: Option<String>,
    /// Time when the container was created.
    pub created_at: Option<jiff::Timestamp>,
    /// Time when it was checkpointed.
    pub checkpointed_at: Option<jiff::Timestamp>,
}

/// The CRIU that dumped the processes, from `inventory.img` and the beginning of `dump.log`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Criu {
    /// The version of the images' format.
    pub image_version: Option<u64>,
    /// CRIU's version.
    pub version: Option<String>,
    /// The node and its kernel.
    pub host: Option<String>,
    /// The node's architecture as OCI images name it (Go's `GOARCH`), from the first process's image.
    pub architecture: Option<String>,
}

/// CRIU's statistics of a dump. Times are in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DumpStatistics {
    /// The time that it took to freeze the processes.
    pub freezing_us: u64,
    /// The time for which the processes were frozen.
    pub frozen_us: u64,
    /// The time in which memory was read, a part of the time frozen.
    pub memory_dump_us: u64,
    /// The time in which memory was written.
    pub memory_write_us: u64,
    /// The number of memory pages that were looked at.
    pub pages_scanned: u64,
    /// The number of pages that were left out because a parent checkpoint has them.
    pub pages_skipped: u64,
    /// The number of pages that were written.
    pub pages_written: u64,
    /// The number of pages that were left to be fetched later.
    pub pages_lazy: u64,
}

/// A mount of the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Mount {
    /// The path in the container.
    pub destination: String,
    /// `bind`, `tmpfs`, `proc`, ...
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The source on the node.
    pub source: Option<String>,
}

/// A process of the container, with its ids inside the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// The process id.
    pub pid: u64,
    /// The parent's process id; 0 if the parent is outside.
    pub parent: u64,
    /// The name of its first thread (`comm`).
    pub command: Option<String>,
    /// The number of threads.
    pub threads: u64,
    /// The state in which it was dumped; absent if its image does not say.
    #[serde(default)]
    pub state: Option<ProcessState>,
    /// The path of its program.
    #[serde(default)]
    pub executable: Option<String>,
    /// Its working directory.
    #[serde(default)]
    pub cwd: Option<String>,
    /// Its root directory.
    #[serde(default)]
    pub root: Option<String>,
    /// The command line in its memory; absent if it cannot be found. What looks like a secret is masked.
    pub arguments: Option<Vec<String>>,
    /// The names of the environment variables in its memory; absent if they cannot be distinguished from other text.
    pub env: Option<Vec<String>>,
    /// Its open files, pipes, timers and the like, by descriptor.
    #[serde(default)]
    pub files: Vec<OpenFile>,
    /// Its open sockets, by descriptor.
    #[serde(default)]
    pub sockets: Vec<OpenSocket>,
}

/// The state of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ProcessState {
    /// It was running or waiting.
    Alive,
    /// A signal had stopped it.
    Stopped,
    /// It had ended, and its parent had not waited for it (a zombie).
    Dead,
}

impl ProcessState {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Stopped => "stopped",
            Self::Dead => "dead",
        }
    }
}

/// Sizes in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sizes {
    /// The whole archive.
    pub archive: u64,
    /// The processes' memory pages.
    pub memory: u64,
    /// Changes of the root file system as stored, which may be compressed.
    pub rootfs_diff: Option<u64>,
    /// The number of regular files in these changes; absent if counting would take long.
    pub rootfs_files: Option<u64>,
}

/// A member of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// The size of its contents in the archive, in bytes.
    pub bytes: u64,
}
