//! Reads, searches, masks and inspects the archives of container checkpoints.
//!
//! Bytes and a [`Plan`](gateway_core::Plan) in, bytes and a [`RedactionSummary`](gateway_core::RedactionSummary) out. The
//! crate opens no file, starts no thread and needs no async runtime: a caller hands in a reader, a writer and a [`Scratch`]
//! for data that has to be kept for a while.
//!
//! - [`redact_file`] redacts one archive; [`Redactor`] does the same pass by pass, for callers that stream.
//! - [`check_plan`] tests a plan before there is an archive.
//! - [`TextMasker`] masks texts about a container, such as labels, by detectors, a plan and what redactions learn.
//! - [`inspect()`] lists processes, mounts, names of variables and members, without unpacking.
//! - [`findings()`] lists what an archive lacks and what contradicts itself; [`verify()`] also checks its structure.
//! - [`audit()`] lists credentials, without their values.
//! - [`compare()`] lists the differences between two archives, memory by page.
//! - [`search`] is the search engine alone, for any stream of bytes.

#![forbid(unsafe_code)]

mod compare;
mod content;
mod credential_report;
mod credentials;
mod criu;
mod error;
mod finding_list;
mod findings;
mod inspect;
mod mask;
mod oci;
mod part;
mod scratch;
pub mod search;
mod sink;
mod stream;
mod tar;
mod unpack;
mod verify;
mod walk;

pub use compare::{
    Changes, Comparison, FieldChange, FileChanges, MappingPages, MemoryChanges, PageCounts,
    ProcessChange, compare,
};
pub use credentials::{Audit, audit};
pub use error::Error;
pub use findings::{Owner, findings};
pub use inspect::inspect;
pub use mask::{
    CommonValues, CompiledPlan, NotLookedAt, PassedOver, PathMode, Redacted, Redaction,
    RedactionSettings, Redactor, TextMasker, check_plan, redact_file,
};
pub use scratch::{Scratch, Spool};
pub use search::{CredentialSettings, EnvValue, Fingerprint, RuleError};
pub use verify::{Structure, verify};
