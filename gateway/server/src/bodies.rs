//! The JSON bodies of successful answers. OpenAPI components are derived from these types.

use std::path::Path;

use gateway_core::{Checkpoint, CheckpointId, Finding, Hold, Inspection};
use schemars::JsonSchema;
use serde::Serialize;

/// A new checkpoint, as the kubelet answers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Taken")]
pub(crate) struct StoredArchive<'a> {
    /// The archive's absolute path on the node.
    pub(crate) items: [&'a Path; 1],
    /// Noteworthy findings about the archive.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) findings: &'a [Finding],
}

/// A checkpoint that is still running.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Accepted {
    /// The future checkpoint's id.
    pub(crate) id: CheckpointId,
}

/// Checkpoints that the caller may see.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CheckpointPage {
    /// The newest first.
    pub(crate) items: Vec<Checkpoint>,
    /// The `after` of the next page; null on the last page.
    pub(crate) next: Option<CheckpointId>,
}

/// A stored checkpoint and the contents of its archive.
#[derive(Serialize, JsonSchema)]
pub(crate) struct InspectedCheckpoint<'a> {
    #[serde(flatten)]
    pub(crate) checkpoint: &'a Checkpoint,
    /// The contents of the archive.
    pub(crate) inspection: Inspection,
}

/// A checkpoint with a hold.
#[derive(Serialize, JsonSchema)]
pub(crate) struct HeldCheckpoint<'a> {
    /// The checkpoint's id.
    pub(crate) id: CheckpointId,
    /// Its hold.
    pub(crate) hold: &'a Hold,
}
