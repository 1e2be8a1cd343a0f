//! The store as the server sees it, with writers that behave as runtimes do.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails here"
)]

mod canary;
mod catalog;
mod fifo;
mod file;
mod hostile;
mod inspection;
mod model;
mod names;
mod quota;
mod redaction;
mod sealing;
mod seeds;
mod specimen;
mod store;
mod support;
mod taken_in;
