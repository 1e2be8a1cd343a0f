//! The store as the server sees it, with writers that behave as runtimes do.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails here"
)]

mod catalog;
mod facts;
mod fifo;
mod file;
mod findings;
mod holds;
mod model;
#[path = "../../../redact/tests/redact/plans.rs"]
mod plans;
mod quota;
mod redaction;
mod sealing;
#[path = "../../../redact/tests/redact/specimen.rs"]
#[expect(dead_code, reason = "the redactor's own tests use the rest")]
mod specimen;
mod store;
mod support;
mod unsealing;
