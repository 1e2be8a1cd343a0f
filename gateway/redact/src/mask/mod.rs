//! Carries out a redaction plan while an archive streams: one pass wherever possible, in bounded memory.
//!
//! A member's name says what it holds. The runtimes' JSON is edited string by string. CRIU's images keep every length;
//! matches are overwritten in place, in numbers such as registers, too. Environments are found in the memory pages with the images that say where they lie.
//! Archives inside the archive are unpacked, searched and, where something changed, compressed again. Unknown members are
//! searched under every rule. If the values of variables are learnt after copies of them have gone by, another pass reads
//! what the first one wrote.

mod budget;
mod dropped_entries;
mod dropped_members;
mod drops;
mod environment;
mod facts;
mod file;
mod framing;
mod inventory;
mod json;
mod json_string;
mod known_values;
mod layout;
mod links;
mod maskers;
mod messages;
mod nested;
mod open_files;
mod ordinary_names;
mod packed_pages;
mod pass;
mod passed_over;
mod paths;
mod plan_check;
mod redactor;
mod settings;
mod spool;
mod texts;
mod zip_writer;

pub use file::redact_file;
pub use passed_over::{NotLookedAt, PassedOver};
pub use plan_check::check_plan;
pub use redactor::{Redacted, Redaction, Redactor};
pub use settings::{CommonValues, PathMode, RedactionSettings};
pub use texts::{CompiledPlan, TextMasker};
