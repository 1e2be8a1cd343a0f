//! The search engine: finds what a plan wants hidden in streams of any bytes, and overwrites it without changing a length.
//!
//! ```text
//! Plan + EnvValues -> Rules::compile        once, shared by all streams
//!                     Rules::masker(place)  -> Masker: push, push, ..., finish, tally
//!                     Rules::mask_whole(place, bytes, tally)
//!
//! filter    offsets at which a match may be, at memory speed: four bytes at every other offset
//! matcher   compares needles, calls detectors, notes where to try expressions
//! scanner   searches a stream by segments of 64 KiB, tries expressions, joins and counts matches
//! masker    holds back bytes that are not final, writes the others
//! ```
//!
//! The result depends on the stream's bytes alone, never on the pieces in which they come. Needles are found wherever they
//! are, also where they overlap. Expressions are found as `regex`'s `find_iter` finds them, except that a match is followed
//! for 64 KiB only: of one that might be longer, these 64 KiB are masked and what goes on in the same way behind them. An
//! expression without any literal piece of three bytes (`[0-9a-f]{32}`) is searched for as a whole, which is slower, and a
//! match that does not end within 64 KiB is not found.
//!
//! A stream holds back less than 512 KiB, and a plan has at most the needles and bytes of [`SearchSettings`]; each bound is an
//! error that names the rule. Not found are secrets that are split, wrapped or compressed: a value in base64 with line breaks,
//! or a key that a process keeps as numbers. `benches/scan` measures all of it.

mod anchor;
mod bytes;
mod cards;
mod catalogue;
mod certificate;
mod common;
#[cfg(test)]
mod corpus;
mod credential;
mod describe;
mod detect;
mod digit_runs;
mod encode;
mod error;
mod escape;
mod every_detector;
mod expression;
mod filter;
mod glob;
mod hostile;
mod masker;
mod matcher;
mod measure;
mod named;
mod needle;
mod needles;
mod pairs;
mod pieces;
#[cfg(test)]
mod properties;
mod required;
mod rules;
mod scanner;
mod selector;
mod settings;
mod sieve;
mod sightings;
mod tally;
mod telling;
mod telling_names;
#[cfg(test)]
mod tests;

pub use catalogue::{DetectorInfo, SecretKind, catalogue};
pub(crate) use certificate::{CERTIFICATE, EXPRESSIONS as CERTIFICATE_EXPRESSIONS};
pub use error::RuleError;
pub use hostile::{HostileText, hostile_texts};
pub use measure::{BadEscape, Corpus, Figures, Sample};
pub use settings::EnvValue;
pub(crate) use sightings::{About, SightingKey};
pub use sightings::{CredentialSettings, Fingerprint};

pub(crate) use common::{is_common, is_plain};
pub(crate) use credential::{credentials, decoded};
pub(crate) use every_detector::EVERY_DETECTOR;
pub use masker::Masker;
pub(crate) use pieces::PIECE;
pub use rules::Rules;
pub use settings::SearchSettings;
pub use tally::{Count, Tally};
