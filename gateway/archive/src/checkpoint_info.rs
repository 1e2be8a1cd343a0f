//! The facts about a checkpoint that its archive does not hold.

use gateway_core::{CheckpointId, Container, HiddenField, RequestId, RuntimeInfo, Target, TraceId};
use gateway_redact::TextMasker;

/// The facts about a checkpoint besides its archive, for its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointInfo {
    /// The checkpoint's id: the one that the intake was opened with.
    pub id: CheckpointId,
    /// The container's name.
    pub target: Target,
    /// The container's full id.
    pub container_id: String,
    /// Kubernetes' UID of the pod.
    pub pod_uid: String,
    /// The container's image.
    pub image: String,
    /// The container as policies got it. Its texts are masked in the metadata; a file of its own keeps them whole.
    pub container: Container,
    /// The user name of the caller.
    pub created_by: String,
    /// The reason in the caller's words.
    pub reason: Option<String>,
    /// The runtime that wrote the archive.
    pub runtime: RuntimeInfo,
    /// The request that asked for the checkpoint.
    pub request_id: RequestId,
    /// The trace of that request.
    pub trace_id: Option<TraceId>,
    /// The fields of that request which its plan keeps out of records.
    pub hidden: Vec<HiddenField>,
    /// Masks the texts above. It has learnt what the redaction has.
    pub texts: TextMasker,
    /// When the archive was begun. The archive's name holds this time, or the next free nanosecond.
    pub created_at: jiff::Timestamp,
}
