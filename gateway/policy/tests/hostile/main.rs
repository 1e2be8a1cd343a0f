//! Tests hostile policies: each attack ends in a denial with a stable code.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails here"
)]

mod binding;
mod bounds;
mod cached;
mod isolation;
mod made;
mod malformed;
mod rows;
mod sdk;
mod table;
mod wasi;
mod world;
