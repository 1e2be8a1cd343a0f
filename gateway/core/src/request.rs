//! A request as policies see it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CheckpointId, Container, Identity, RequestId};

/// An action that a caller requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Action {
    /// Take a new checkpoint.
    Create,
    /// List checkpoints.
    List,
    /// Read a checkpoint's metadata and contents.
    Inspect,
    /// Download a checkpoint's redacted archive.
    Download,
    /// Download a checkpoint's original archive.
    DownloadOriginal,
    /// Set or end a hold, which protects a checkpoint from removal.
    Hold,
    /// Remove a checkpoint.
    Delete,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::List,
        Self::Inspect,
        Self::Download,
        Self::DownloadOriginal,
        Self::Hold,
        Self::Delete,
    ];

    /// The name in audit records, traces and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::List => "list",
            Self::Inspect => "inspect",
            Self::Download => "download",
            Self::DownloadOriginal => "download-original",
            Self::Hold => "hold",
            Self::Delete => "delete",
        }
    }
}

/// A stored checkpoint as policies see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Archive {
    /// The checkpoint's id.
    pub id: CheckpointId,
    /// The user who requested it.
    pub created_by: String,
    /// Time when the archive was begun.
    pub created_at: jiff::Timestamp,
    /// The archive's size in bytes.
    pub bytes: u64,
}

/// A request as policies see it. Nothing else reaches them, so the same request always gets the same answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// The request's id, also in the answer, the trace and the audit log.
    pub id: RequestId,
    /// The requested action.
    pub action: Action,
    /// The caller.
    pub identity: Identity,
    /// The container.
    pub target: Container,
    /// The checkpoint to be inspected, downloaded, held or deleted.
    #[serde(default)]
    pub archive: Option<Archive>,
    /// The newest checkpoint of this container that the gateway holds.
    #[serde(default)]
    pub latest: Option<Archive>,
    /// The caller's reason (`X-Checkpoint-Reason`).
    pub reason: Option<String>,
    /// The longest that the caller waits, in seconds.
    pub timeout_seconds: Option<u32>,
    /// The address that the connection comes from.
    pub source_address: IpAddr,
    /// Time of the request's arrival.
    pub received_at: jiff::Timestamp,
    /// Headers that the configuration passes on, by their names in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}
