use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    Action, CheckpointId, CredentialKind, KeyChange, PlanRecord, RedactionSummary, RequestId, SegmentStart,
    Target, TraceId, TreeHead, Verdict,
};

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this format.
    pub schema: u32,
    /// When it was written.
    pub at: jiff::Timestamp,
    /// The request that it is about; [`RequestId::NONE`] where it is about none.
    pub request_id: RequestId,
    /// The trace of that request.
    pub trace_id: Option<TraceId>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Record {
    /// The version of the format that this program writes.
    pub const SCHEMA: u32 = 1;

    /// A record of the log about itself.
    pub fn of_log(at: jiff::Timestamp, event: Event) -> Self {
        Self { schema: Self::SCHEMA, at, request_id: RequestId::NONE, trace_id: None, event }
    }
}

/// What a record tells. An intent is durable before the runtime is touched; an outcome follows, whatever happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A permitted request is about to touch the runtime.
    Intent {
        /// What is about to be done.
        action: Action,
        /// Whose user name; absent where the plan hides it, as with the others that may be.
        user: Option<String>,
        /// Their groups.
        groups: Vec<String>,
        /// What proved it.
        credential: CredentialKind,
        /// Who vouches for them.
        issuer: String,
        /// Where the connection comes from.
        source_address: Option<IpAddr>,
        /// Why, in the caller's words.
        reason: Option<String>,
        /// The container's name.
        target: Target,
        /// The container's full id.
        container_id: String,
        /// What each policy said.
        verdicts: Vec<Verdict>,
        /// What is to be hidden in the archive, and in these records.
        #[serde(default)]
        plan: PlanRecord,
        /// The checkpoint that will come of it.
        checkpoint_id: CheckpointId,
    },
    /// How a request ended.
    Outcome(Outcome),
    /// A checkpoint was removed by the gateway itself.
    Removed {
        /// Why.
        because: Because,
        /// Which checkpoint.
        checkpoint_id: CheckpointId,
        /// The container that it was taken of.
        target: Target,
        /// Its archive's digest (SHA-256, hex).
        sha256: String,
        /// Its archive's size in bytes.
        bytes: u64,
    },
    /// The records before this one, signed. Like what follows it is about the log itself, so about no request.
    Head(TreeHead),
    /// Another key signs from here on, or the first one does.
    Key(KeyChange),
    /// A file of the log begins here, and is not the first.
    Segment(SegmentStart),
}

/// Why the gateway removes a checkpoint by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// It was older than checkpoints may become.
    Age,
    /// It was the oldest, and the new one of this request would have broken a quota.
    Quota,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was asked for; absent where that could not be told.
    pub action: Option<Action>,
    /// Whose user name; absent where nobody was proven, or where the plan hides it.
    pub user: Option<String>,
    /// Where the connection comes from; absent where the plan hides it.
    pub source_address: Option<IpAddr>,
    /// The container's name, where one was named.
    pub target: Option<Target>,
    /// HTTP status of the answer.
    pub status: u16,
    /// The stable code of the error; absent on success.
    pub code: Option<String>,
    /// What each policy said, where they were asked.
    pub verdicts: Vec<Verdict>,
    /// The checkpoint that came of it.
    pub checkpoint_id: Option<CheckpointId>,
    /// The archive's digest (SHA-256, hex).
    pub sha256: Option<String>,
    /// The archive's size in bytes.
    pub bytes: Option<u64>,
    /// What redaction hid in it; absent where nothing was to be hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<RedactionSummary>,
    /// The fields of the request that the plan hides here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<String>,
    /// From the request's arrival to this record, in microseconds.
    pub duration_us: u64,
}
