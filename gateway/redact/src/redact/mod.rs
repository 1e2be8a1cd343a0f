//! Carries out a redaction plan while an archive streams: one pass wherever possible, in bounded memory.
//!
//! What a member is tells its name. The runtimes' JSON is edited string by string; CRIU's images keep every length and
//! have what matches overwritten; processes' environments are found in the pages by the images that tell where they lie;
//! the archives inside are unpacked, gone through and, where something changed, packed again. What is not known is looked
//! at under every rule. Values of environment variables that are learnt later than they were needed make for another pass
//! over what the first has written.
//!
//! Nothing is ever extracted, so names only tell members apart: links and `..` lead nowhere.

mod content;
mod environ;
mod extension;
mod gzip;
mod header;
mod image;
mod inner;
mod inventory;
mod json;
mod known;
mod layout;
mod literal;
mod member;
mod name;
mod offline;
mod pages;
mod pass;
mod pax;
mod plan;
mod protobuf;
mod redactor;
mod screen;
mod settings;
mod unpack;

// Reading an archive for other ends than redaction.
pub(crate) use content::{Content, number};
pub(crate) use gzip::MAGIC as GZIP;
pub(crate) use header::{Kind, padding};
pub(crate) use image::Entries;
pub(crate) use layout::{Run, pages_id};
pub(crate) use member::{Member, Next};
pub(crate) use pages::{PAGE, Pages};
pub(crate) use protobuf::{Value, fields, varint};
pub(crate) use screen::pieces;

pub use offline::redact_file;
pub use plan::check_plan;
pub use redactor::{Redaction, Redactor};
pub use settings::RedactionSettings;
