//! Tests the embedded runtime through its socket and its archives.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails here"
)]

mod archive;
mod crio;
mod fault;
mod fixture;
mod freeze;
mod life;
mod listing;
mod location;
mod threads;
