//! The crate as its callers use it, with archives as the runtimes write them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails here"
)]

mod canary;
mod hostile;
mod inspection;
mod names;
mod plans;
mod redaction;
mod seeds;
mod specimen;
