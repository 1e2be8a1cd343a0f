//! The types that all crates share: the caller ([`Identity`]), the container ([`Target`], [`Container`]), the [`Request`] that
//! policies decide, their [`Decision`], the redaction [`Plan`], the resulting [`Checkpoint`] and the audit [`Record`].
//!
//! Pure data: no I/O, no clock, no randomness, no async.

#![forbid(unsafe_code)]

mod audit;
pub mod bounds;
mod checkpoint;
mod container;
mod credential;
mod decision;
mod finding;
mod hidden_field;
mod id;
mod identity;
mod inspection;
mod open_file;
mod proof;
mod recorded;
mod redaction;
mod request;
pub mod schema;
mod summary;
mod target;
mod text;

pub use audit::{Difference, Event, Listed, Outcome, Record, RemovalReason};
pub use checkpoint::{Checkpoint, Hold, Original, RuntimeInfo, Transport};
pub use container::Container;
pub use credential::{Credential, CredentialPlace, CredentialReport};
pub use decision::{Decision, Denial, Verdict};
pub use finding::{Finding, FindingCode, Severity};
pub use hidden_field::{HiddenField, ParseHiddenFieldError};
pub use id::{CheckpointId, ParseIdError, RequestId, TraceId};
pub use identity::{CredentialKind, Identity};
pub use inspection::{
    Criu, Dialect, DumpStatistics, InspectedContainer, Inspection, Member, Mount, Process,
    ProcessState, Sizes,
};
pub use open_file::{FileAccess, FileKind, OpenFile, OpenSocket, SocketFamily};
pub use proof::{KeyChange, KeyRemoval, SegmentStart, TreeHead};
pub use recorded::RequestRecord;
pub use redaction::{
    DETECTORS, DropRule, MaskRule, OpaqueRule, Pattern, Place, Plan, PlanRecord, TELLING_NAMES,
};
pub use request::{Action, Archive, Request};
pub use summary::{
    DropSummary, Masked, OpaqueContent, OpaqueSummary, RedactionSummary, RuleSummary,
};
pub use target::{ParseTargetError, Part, Target};
pub use text::one_line;
