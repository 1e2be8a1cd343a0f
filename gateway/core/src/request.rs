use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{CheckpointId, Container, Identity, RequestId};

/// What a caller wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Take a new checkpoint.
    Create,
    /// See which checkpoints there are.
    List,
    /// See what is known of a checkpoint.
    Inspect,
    /// Fetch a checkpoint's archive, as redacted.
    Download,
    /// Fetch a checkpoint's archive as the runtime wrote it.
    DownloadOriginal,
    /// Pin a checkpoint against retention, or let it go.
    Hold,
    /// Remove a checkpoint.
    Delete,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::List,
        Self::Inspect,
        Self::Download,
        Self::DownloadOriginal,
        Self::Hold,
        Self::Delete,
    ];

    /// The word for it in audit records, traces and metrics.
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

/// A checkpoint that exists, as far as a policy may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// The checkpoint.
    pub id: CheckpointId,
    /// Whose user name asked for it.
    pub created_by: String,
    /// When it was begun.
    pub created_at: jiff::Timestamp,
    /// The archive's size in bytes.
    pub bytes: u64,
}

/// All that a policy may know of a request, and so all that can decide it: the same request always gets the same answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Also in the answer, the trace and the audit log.
    pub id: RequestId,
    /// What is asked for.
    pub action: Action,
    /// Who asks.
    pub identity: Identity,
    /// What it is asked for.
    pub target: Container,
    /// What is to be inspected, downloaded, held or deleted.
    #[serde(default)]
    pub archive: Option<Archive>,
    /// The newest checkpoint of this container that the gateway holds.
    #[serde(default)]
    pub latest: Option<Archive>,
    /// Why, in the caller's words (`X-Checkpoint-Reason`).
    pub reason: Option<String>,
    /// How long the caller is willing to wait, in seconds.
    pub timeout_seconds: Option<u32>,
    /// Where the connection comes from.
    pub source_address: IpAddr,
    /// When the request was received.
    pub received_at: jiff::Timestamp,
    /// The headers that the configuration lets through, by their names in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}
