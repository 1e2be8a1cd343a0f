//! The records of the audit log.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::Sha256;
use crate::{
    Action, CheckpointId, CredentialKind, Finding, HiddenField, KeyChange, KeyRemoval, PlanRecord,
    RedactionSummary, RequestId, RequestRecord, SegmentStart, Target, TraceId, TreeHead, Verdict,
};

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Version of this format.
    #[schemars(extend("const" = Self::SCHEMA))]
    pub schema: u32,
    /// Time of writing.
    pub at: jiff::Timestamp,
    /// The request that the record is about; [`RequestId::NONE`] if it is about the log itself.
    pub request_id: RequestId,
    /// The trace of that request.
    pub trace_id: Option<TraceId>,
    /// The event and its fields.
    #[serde(flatten)]
    pub event: Event,
}

impl Record {
    /// The version of the format that this program writes.
    pub const SCHEMA: u32 = 1;
    /// The longest record as JSON, in bytes. With its sequence number and hash it makes a line of at most 1 MiB.
    pub const LONGEST: usize = (1 << 20) - 1024;

    /// A record about the log itself.
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

/// The event of a record. An intent is durable before the runtime is called; an outcome follows in every case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "an event lives until its record is written, and most are intents and outcomes"
)]
pub enum Event {
    /// A permitted request is about to be carried out.
    Intent {
        /// The action that is about to be carried out.
        action: Action,
        /// The caller's user name; absent if the plan hides it. Other optional fields may be hidden, too.
        user: Option<String>,
        /// The caller's groups.
        groups: Vec<String>,
        /// The credential that proved the identity.
        credential: CredentialKind,
        /// The issuer of the token or certificate.
        issuer: String,
        /// The address that the connection comes from.
        source_address: Option<IpAddr>,
        /// The caller's reason.
        reason: Option<String>,
        /// The container's name.
        target: Target,
        /// The container's full id.
        container_id: String,
        /// The answer of each policy.
        verdicts: Vec<Verdict>,
        /// The redaction plan for the archive and these records.
        #[serde(default)]
        plan: PlanRecord,
        /// The id of the checkpoint to be created.
        checkpoint_id: CheckpointId,
        /// The request as policies got it, without the fields that the plan hides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(required)]
        request: Option<RequestRecord>,
        /// Fields of the request and the verdicts in which a secret is masked here. Policies got them whole, so they cannot
        /// be asked again from this record.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        masked: Vec<String>,
    },
    /// A request ended.
    Outcome(Box<Outcome>),
    /// The gateway removed a checkpoint because of age or a quota.
    Removed {
        /// The reason.
        #[serde(rename = "because")]
        reason: RemovalReason,
        /// The removed checkpoint.
        checkpoint_id: CheckpointId,
        /// The container's name.
        target: Target,
        /// Its archive's digest (SHA-256, hex).
        #[schemars(with = "Sha256")]
        sha256: String,
        /// Its archive's size in bytes.
        bytes: u64,
    },
    /// Shadow policies would have decided otherwise. They do not change the decision.
    Shadow {
        /// The difference.
        difference: Difference,
        /// The requested action.
        action: Action,
        /// The container's name.
        target: Target,
        /// The answer of each shadow policy.
        verdicts: Vec<Verdict>,
        /// The plan of the shadow policies.
        #[serde(default, skip_serializing_if = "PlanRecord::is_empty")]
        plan: PlanRecord,
    },
    /// A signature over the records before this one. This and the following events are about the log itself.
    Head(TreeHead),
    /// Another key signs from here on, or the first one does.
    Key(KeyChange),
    /// No key signs from here on.
    KeyRemoved(KeyRemoval),
    /// A file of the log that is not the first begins here.
    Segment(SegmentStart),
}

impl Event {
    /// The name in records.
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

/// The difference between a decision and the one that other policies would have made.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Difference {
    /// The request was denied and would have been allowed.
    NowAllowed,
    /// The request was allowed and would have been denied.
    NowDenied,
    /// The request was allowed by both, with different plans.
    PlanChanged,
}

impl Difference {
    /// The name in records, metrics and results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NowAllowed => "now-allowed",
            Self::NowDenied => "now-denied",
            Self::PlanChanged => "plan-changed",
        }
    }
}

/// The reason why the gateway removes a checkpoint without a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RemovalReason {
    /// The checkpoint was older than the configured age.
    Age,
    /// The checkpoint was the oldest, and a new one would have exceeded a quota.
    Quota,
}

/// The end of a request. Fields about the caller are verified ones, without those that the plan hides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The requested action; absent if it could not be determined, or is not one that policies decide.
    pub action: Option<Action>,
    /// The caller's user name; absent if the caller is not authenticated, or the plan hides it.
    pub user: Option<String>,
    /// The caller's groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The credential that proved the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialKind>,
    /// The issuer of the token or certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The address that the connection comes from; absent if the plan hides it.
    pub source_address: Option<IpAddr>,
    /// The caller's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The container's name, if the request named one.
    pub target: Option<Target>,
    /// The answer's HTTP status; 0 if there was no answer.
    #[schemars(range(max = 599))]
    pub status: u16,
    /// The stable code of the error; absent on success.
    pub code: Option<String>,
    /// The error's message to the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The answer of each policy that was asked.
    #[serde(default)]
    pub verdicts: Vec<Verdict>,
    /// The redaction plan.
    #[serde(default, skip_serializing_if = "PlanRecord::is_empty")]
    pub plan: PlanRecord,
    /// The created or requested checkpoint.
    pub checkpoint_id: Option<CheckpointId>,
    /// The archive's digest (SHA-256, hex).
    #[schemars(with = "Option<Sha256>")]
    pub sha256: Option<String>,
    /// The archive's size, or the number of bytes sent, in bytes.
    pub bytes: Option<u64>,
    /// The result of redaction; absent if the plan hides nothing in the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<RedactionSummary>,
    /// Findings about a new archive: the noteworthy ones of one that was stored, all of one that was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The fields of the request that the plan hides here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<HiddenField>,
    /// Fields of the request and the verdicts in which a secret is masked here: `reason`, `image`, or `labels`, `annotations`,
    /// `pod-labels`, `pod-annotations`, `claims`, `verdicts` with a key in brackets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masked: Vec<String>,
    /// Fields in which the intent still showed a secret that only the archive taught.
    #[serde(rename = "told-before", default, skip_serializing_if = "Vec::is_empty")]
    pub told_before: Vec<String>,
    /// The request as policies got it, if no intent has it. A list has none: it asks policies about each checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestRecord>,
    /// The result of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<Listed>,
    /// Fields that were left out because the record would have been longer than [`Record::LONGEST`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omitted: Vec<String>,
    /// The number of unauthenticated requests whose outcomes were dropped by the rate limit since the last one written.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 1))]
    pub suppressed: u64,
    /// Time from the request's arrival to this record, in microseconds.
    pub duration_us: u64,
}

/// The result of a list. Policies are asked about each checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// The number of checkpoints that policies were asked about.
    pub asked: u64,
    /// The number of checkpoints in the answer.
    pub shown: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
