//! A stored checkpoint: its metadata, its original and its hold.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::Sha256;
use crate::{
    CheckpointId, Container, Finding, HiddenField, RedactionSummary, RequestId, Target, TraceId,
};

/// A stored checkpoint: the contents of the metadata file beside its archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// Version of this format.
    pub schema: u32,
    /// The checkpoint's id.
    pub id: CheckpointId,
    /// The archive's absolute path.
    pub path: PathBuf,
    /// The archive's size in bytes.
    pub bytes: u64,
    /// SHA-256 of the archive as 64 lower-case hex digits, as `sha256sum` prints it.
    #[schemars(with = "Sha256")]
    pub sha256: String,
    /// Time when the archive was begun.
    pub created_at: jiff::Timestamp,
    /// The user who requested it.
    pub created_by: String,
    /// The caller's reason.
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
    /// The container as the runtime described it, without secrets that were found in its texts. Policies get the whole
    /// description when somebody requests the checkpoint later.
    pub facts: Container,
    /// Fields in which something is masked: `image`, `reason`, or `labels`, `annotations`, `pod-labels`, `pod-annotations`
    /// with a key in brackets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masked: Vec<String>,
    /// The runtime that wrote the archive.
    pub runtime: RuntimeInfo,
    /// The way in which the archive was received.
    pub transport: Transport,
    /// The request that created it.
    pub request_id: RequestId,
    /// The trace of that request.
    pub trace_id: Option<TraceId>,
    /// The result of redaction; absent if the archive is as the runtime wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<RedactionSummary>,
    /// Noteworthy findings about the archive as it is stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Fields of that request which its plan keeps out of records and traces. They also stay out of the records of later
    /// requests for this checkpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<HiddenField>,
    /// The original archive, if it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Original>,
    /// The hold on it, if any. Stored in a file of its own, and ignored in the metadata file, which never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
}

impl Checkpoint {
    /// The version of the format that this program writes.
    pub const SCHEMA: u32 = 1;
}

/// The archive as the runtime wrote it, kept beside the redacted one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Original {
    /// The file's absolute path.
    pub path: PathBuf,
    /// Size in bytes of the file, which may be sealed.
    pub bytes: u64,
    /// SHA-256 of the file, which may be sealed, as 64 lower-case hex digits.
    #[schemars(with = "Sha256")]
    pub sha256: String,
    /// Whether it is encrypted (`age-encryption.org/v1`). If not, it contains every secret in clear.
    pub sealed: bool,
    /// The number of recipients who can open it; 0 if it is not sealed.
    pub recipients: usize,
}

/// A hold on a checkpoint: neither a caller nor a quota nor its age removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// The user who requested it.
    pub by: String,
    /// Time of the request.
    pub at: jiff::Timestamp,
    /// The caller's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A container runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuntimeInfo {
    /// The name that it reports: `containerd`, `cri-o`, ...
    pub name: String,
    /// The version that it reports.
    pub version: String,
}

/// The way in which the runtime hands over an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Transport {
    /// Through a FIFO, so the plaintext archive is never a file.
    Fifo,
    /// Through a FIFO into a nameless file, sealed with a key that is only in memory, from which it is redacted: the runtime
    /// keeps the container paused while it writes.
    Spool,
    /// Through a private temporary file, because the runtime refuses a FIFO.
    File,
}

impl Transport {
    /// The name in configuration, metadata and traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Spool => "spool",
            Self::File => "file",
        }
    }
}
