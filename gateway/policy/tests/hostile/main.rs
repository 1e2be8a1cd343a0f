//! What policies may do to the gateway, and what it does then: nothing, but with a name for it.
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
mod rows;
mod table;
mod wasi;
mod world;
