//! The redactor's scan engine: finds what a plan wants hidden in streams of arbitrary bytes, and overwrites it without
//! changing a length.
//!
//! ```text
//! Plan + EnvValues -> Rules::compile        once, shared by all streams
//!                     Rules::masker(place)  -> Masker: push, push, ..., finish, tally
//!                     Rules::mask_whole(place, bytes, tally)
//!
//! filter    which offsets may be something, at memory speed: four bytes at every other offset, by their halves
//! matcher   compares needles, calls detectors, notes where expressions are to be tried
//! scanner   goes through a stream by segments of 64 KiB, tries expressions, joins and counts
//! masker    holds back what is not decided, hands out the rest
//! ```
//!
//! A masker counts itself ([`Tally`], by the rule's index in the plan and the place) and is as good as new after `finish`.
//! `Rules::selects` takes a variable's name as bytes; `Rules::selecting` tells which rules select it.
//!
//! What is hidden depends on the stream's bytes alone, never on how they come. Needles are found wherever they are, also
//! where they overlap. Expressions are found as their crate's `find_iter` does it, except that no match is looked for
//! further than 64 KiB: of one that might be longer, these 64 KiB are hidden, and what goes on in the same way behind
//! them. An expression without any piece of three known bytes in it (`[0-9a-f]{32}`) is searched for as a whole, which is
//! slower, and a match of it that does not end within 64 KiB is not found.
//!
//! Bounds: a stream holds back less than 512 KiB, a plan has at most the needles and bytes of [`SearchSettings`], and each
//! bound is an error that names the rule. What is split by the memory's layout, wrapped or compressed is not found: a value
//! in base64 with line breaks, a key that is only numbers in a process. `benches/scan` measures it all.

mod anchor;
mod bytes;
mod cards;
#[cfg(test)]
mod corpus;
mod detect;
mod encode;
mod error;
mod expression;
mod filter;
mod glob;
mod masker;
mod matcher;
mod needles;
mod pairs;
#[cfg(test)]
mod properties;
mod required;
mod rules;
mod scanner;
mod settings;
mod sieve;
mod tally;
#[cfg(test)]
mod tests;

pub use error::RuleError;
pub use settings::EnvValue;

pub use masker::Masker;
pub use rules::Rules;
pub use settings::SearchSettings;
pub use tally::{Count, Tally};
