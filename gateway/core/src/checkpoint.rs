use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{CheckpointId, Container, HiddenField, RedactionSummary, RequestId, Target, TraceId};

/// What is known of a checkpoint that exists: the metadata file next to its archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Version of this format.
    pub schema: u32,
    /// The checkpoint's id.
    pub id: CheckpointId,
    /// The archive's absolute path.
    pub path: PathBuf,
    /// The archive's size in bytes.
    pub bytes: u64,
    /// SHA-256 of the archive, 64 lower-case hex digits: what `sha256sum` prints.
    pub sha256: String,
    /// When the archive was begun.
    pub created_at: jiff::Timestamp,
    /// Whose user name asked for it.
    pub created_by: String,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// The container's name.
    #[serde(flatten)]
    pub target: Target,
    /// The container's full id.
    pub container_id: String,
    /// Kubernetes' UID of the pod.
    pub pod_uid: String,
    /// The container's image.
    pub image: String,
    /// All that the runtime told of the container: what policies are asked about whoever wants the checkpoint later.
    pub facts: Container,
    /// Who wrote it.
    pub runtime: RuntimeInfo,
    /// How it came to us.
    pub transport: Transport,
    /// The request that made it.
    pub request_id: RequestId,
    /// The trace of that request.
    pub trace_id: Option<TraceId>,
    /// What was hidden; absent where the archive is as the runtime wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<RedactionSummary>,
    /// The fields of that request which its plan keeps out of records and traces, by the plan's names. What is told of them
    /// here stays out of the records of whoever comes for the checkpoint later, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<HiddenField>,
    /// The archive as the runtime wrote it, where it is kept beside the redacted one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Original>,
    /// What pins it. Kept in a file of its own and never believed from the metadata file, which never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
}

impl Checkpoint {
    /// The version of the format that this program writes.
    pub const SCHEMA: u32 = 1;
}

/// The archive as the runtime wrote it, kept beside the redacted one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// The file's absolute path.
    pub path: PathBuf,
    /// The file's size in bytes: of the sealed file, where it is sealed.
    pub bytes: u64,
    /// SHA-256 of the file, 64 lower-case hex digits: of the sealed file, where it is sealed.
    pub sha256: String,
    /// Whether it is encrypted (`age-encryption.org/v1`). Where it is not, whoever reads it reads every secret.
    pub sealed: bool,
    /// How many can open the seal; none where it is not sealed.
    pub recipients: usize,
}

/// Pins a checkpoint: neither a caller nor a quota nor its age removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Whose user name asked for it.
    pub by: String,
    /// Since when.
    pub at: jiff::Timestamp,
    /// Why, in the caller's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A container runtime, as it names itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeInfo {
    /// `containerd`, `cri-o`, ...
    pub name: String,
    /// Its own version.
    pub version: String,
}

/// How the runtime handed over an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Through a FIFO: the archive never was a file before it was ours.
    Fifo,
    /// Through a private temporary file, because the runtime takes no FIFO.
    File,
}

impl Transport {
    /// The word for it in configuration, metadata and traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::File => "file",
        }
    }
}
