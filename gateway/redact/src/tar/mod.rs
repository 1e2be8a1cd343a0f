//! Reads tar archives strictly: a header on which readers disagree is refused.
//!
//! Nothing is ever extracted. Names only tell members apart, so links and `..` lead nowhere.

mod block;
mod extension;
mod header;
mod member;
mod name;
mod pax;
mod sparse;
mod text;

pub(crate) use block::{BLOCK, padding};
pub(crate) use header::{Header, Kind};
pub(crate) use member::{Member, Next};
pub(crate) use name::{for_error, normalize};
pub(crate) use text::HeaderText;
