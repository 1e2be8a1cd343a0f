//! Checks of the sources themselves: dependencies between crates, import cycles between files, file headers, documentation.
//!
//! Run with `cargo test -p gateway-core --test house`; nothing of the gateway has to be built for it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod cycle_fixtures;
mod cycles;
mod edges;
mod headers;
mod imports;
mod pages;
mod workspaces;
