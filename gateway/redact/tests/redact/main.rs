//! The crate as its callers use it, with archives as the runtimes write them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails here"
)]

mod archives_inside;
mod canary;
mod common_values;
mod comparison;
mod credentials;
mod decoders;
mod documents;
mod findings;
mod findings_names;
mod forms;
mod hostile;
mod images;
mod inspection;
mod left_out;
mod memory_images;
mod names;
mod nested;
mod numbers;
mod opaque;
mod open_files;
mod packed;
mod packed_pages;
mod paths;
mod plans;
mod redaction;
mod registers;
mod seeds;
mod specimen;
mod support;
mod tar_fields;
mod telling_names;
