use serde::{Deserialize, Serialize};

/// What an archive tells about the container that it was taken of, without a value of an environment variable. Every text
/// is one bounded line; what did not fit or could not be read is told in `truncated` and `unreadable`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// Whose archive it is, where its members tell.
    pub dialect: Option<Dialect>,
    /// The container, by `config.dump` and `spec.dump`.
    pub container: InspectedContainer,
    /// What dumped the processes.
    pub criu: Criu,
    /// The names of the environment variables in `spec.dump`, in its order.
    pub env: Vec<String>,
    /// The mounts in `spec.dump`, in its order.
    pub mounts: Vec<Mount>,
    /// The processes, in the order of `pstree.img`: parents come before their children.
    pub processes: Vec<Process>,
    /// How large the archive and what is in it are.
    pub sizes: Sizes,
    /// The archive's members, in its order.
    pub members: Vec<Member>,
    /// How many members there are, those included that are not listed.
    pub member_count: u64,
    /// Whether something is left out because there was too much of it.
    pub truncated: bool,
    /// Members that are not what their names say.
    pub unreadable: Vec<String>,
}

/// The runtime that wrote an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// containerd.
    Containerd,
    /// CRI-O.
    CriO,
}

impl Dialect {
    /// The runtime's name, as it names itself.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::CriO => "cri-o",
        }
    }
}

/// A container as its runtime describes it in an archive. What is not told is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectedContainer {
    /// The runtime's full id.
    pub id: Option<String>,
    /// The runtime's own name for it.
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
    /// When the container was created.
    pub created_at: Option<jiff::Timestamp>,
    /// When it was checkpointed.
    pub checkpointed_at: Option<jiff::Timestamp>,
}

/// What dumped the processes, by `inventory.img` and the beginning of `dump.log`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criu {
    /// The version of the images' format.
    pub image_version: Option<u64>,
    /// CRIU's version.
    pub version: Option<String>,
    /// The node and its kernel.
    pub host: Option<String>,
    /// The node's architecture, as OCI images name it (Go's `GOARCH`), by the first process's image.
    pub architecture: Option<String>,
}

/// A mount of the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where in the container.
    pub destination: String,
    /// `bind`, `tmpfs`, `proc`, ...
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What on the node.
    pub source: Option<String>,
}

/// A process of the container, with the numbers that it has inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: u64,
    /// Its parent's id; 0 where the parent is outside.
    pub parent: u64,
    /// The name of its first thread (`comm`).
    pub command: Option<String>,
    /// How many threads it has.
    pub threads: u64,
    /// Its command line, as its memory has it; absent where that cannot be found.
    pub arguments: Option<Vec<String>>,
    /// The names of its environment variables, as its memory has them; absent where they cannot be told from other texts.
    pub env: Option<Vec<String>>,
}

/// Sizes in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// All of the archive.
    pub archive: u64,
    /// The processes' memory pages.
    pub memory: u64,
    /// What the container wrote to its root filesystem, as it is stored: compressed or not.
    pub rootfs_diff: Option<u64>,
    /// How many regular files that is; absent where counting would take long.
    pub rootfs_files: Option<u64>,
}

/// A member of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// How much of the archive its contents take, in bytes.
    pub bytes: u64,
}
