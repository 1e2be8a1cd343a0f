use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    Action, CheckpointId, CredentialKind, HiddenField, KeyChange, KeyRemoval, PlanRecord,
    RedactionSummary, RequestId, RequestRecord, SegmentStart, Target, TraceId, TreeHead, Verdict,
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
    /// The longest that a record may be as JSON, in bytes: with its place in the log it makes a line of at most 1 MiB.
    pub const LONGEST: usize = (1 << 20) - 1024;

    /// A record of the log about itself.
    pub fn of_log(at: jiff::Timestamp, event: Event) -> Self {
        Self {
            schema: Self::SCHEMA,
            at,
            request_id: RequestId::NONE,
            trace_id: None,
            event,
        }
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
        /// What the policies were asked, without what the plan hides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<RequestRecord>,
    },
    /// How a request ended.
    Outcome(Box<Outcome>),
    /// A checkpoint was removed by the gateway itself.
    Removed {
        /// The reason.
        #[serde(rename = "because")]
        reason: RemovalReason,
        /// Which checkpoint.
        checkpoint_id: CheckpointId,
        /// The container that it was taken of.
        target: Target,
        /// Its archive's digest (SHA-256, hex).
        sha256: String,
        /// Its archive's size in bytes.
        bytes: u64,
    },
    /// Policies that are only tried out would have decided otherwise. What was decided does not change.
    Shadow {
        /// How they differ.
        difference: Difference,
        /// What was asked for.
        action: Action,
        /// The container's name.
        target: Target,
        /// What each of them said.
        verdicts: Vec<Verdict>,
        /// What they would have hidden.
        #[serde(default, skip_serializing_if = "PlanRecord::is_empty")]
        plan: PlanRecord,
    },
    /// The records before this one, signed. Like what follows it is about the log itself, so about no request.
    Head(TreeHead),
    /// Another key signs from here on, or the first one does.
    Key(KeyChange),
    /// No key signs from here on.
    KeyRemoved(KeyRemoval),
    /// A file of the log begins here, and is not the first.
    Segment(SegmentStart),
}

impl Event {
    /// The word for it in records.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Intent { .. } => "intent",
            Self::Outcome(_) => "outcome",
            Self::Removed { .. } => "removed",
            Self::Shadow { .. } => "shadow",
            Self::Head(_) => "head",
            Self::Key(_) => "key",
            Self::KeyRemoved(_) => "key-removed",
            Self::Segment(_) => "segment",
        }
    }
}

/// How what other policies say of a request differs from what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// It was denied, and would have been allowed.
    NowAllowed,
    /// It was allowed, and would have been denied.
    NowDenied,
    /// It was allowed and would have been, and other things would have been hidden.
    PlanChanged,
}

impl Difference {
    /// The word for it in records, metrics and results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NowAllowed => "now-allowed",
            Self::NowDenied => "now-denied",
            Self::PlanChanged => "plan-changed",
        }
    }
}

/// Why the gateway removes a checkpoint by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalReason {
    /// It was older than checkpoints may become.
    Age,
    /// It was the oldest, and the new one of this request would have broken a quota.
    Quota,
}

/// How a request ended. What it tells of the caller is what was proven, but for what the plan hides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was asked for; absent where that could not be told, or where it is none of the actions that policies judge.
    pub action: Option<Action>,
    /// Whose user name; absent where nobody was proven, or where the plan hides it.
    pub user: Option<String>,
    /// Their groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What proved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialKind>,
    /// Who vouches for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Where the connection comes from; absent where the plan hides it.
    pub source_address: Option<IpAddr>,
    /// Why, in the caller's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The container's name, where one was named.
    pub target: Option<Target>,
    /// HTTP status of the answer; 0 where nobody was answered.
    pub status: u16,
    /// The stable code of the error; absent on success.
    pub code: Option<String>,
    /// What is said of the error to the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What each policy said, where they were asked.
    #[serde(default)]
    pub verdicts: Vec<Verdict>,
    /// What was to be hidden.
    #[serde(default, skip_serializing_if = "PlanRecord::is_empty")]
    pub plan: PlanRecord,
    /// The checkpoint that came of it, or that was asked for.
    pub checkpoint_id: Option<CheckpointId>,
    /// The archive's digest (SHA-256, hex).
    pub sha256: Option<String>,
    /// The archive's size in bytes, or how many of them were sent.
    pub bytes: Option<u64>,
    /// What redaction hid in it; absent where nothing was to be hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<RedactionSummary>,
    /// The fields of the request that the plan hides here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<HiddenField>,
    /// What the policies were asked, where no intent tells it. A list asks them about each checkpoint, and has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestRecord>,
    /// What a list came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<Listed>,
    /// What was left out because the record would have been longer than [`Record::LONGEST`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omitted: Vec<String>,
    /// How many outcomes of callers who had proven nothing were left out since the last one that was not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suppressed: u64,
    /// From the request's arrival to this record, in microseconds.
    pub duration_us: u64,
}

/// What a list came to: each checkpoint is a question of its own to the policies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// About how many checkpoints the policies were asked.
    pub asked: u64,
    /// How many of them were shown.
    pub shown: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
