//! Tests of the daemon's program: its commands, and what is linked into it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod commands;
mod dependencies;
