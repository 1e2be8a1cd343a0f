//! The result of verifying a log.

use std::path::PathBuf;

use super::expected::Anchor;
use crate::signature::SignedHead;

/// The properties of a verified log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The number of its first record. It is not 0 if older segments were moved away; those were not checked.
    pub begins: u64,
    /// The number of records in it.
    pub records: u64,
    /// The digest (SHA-256, hex) of the last line without its line feed. Kept elsewhere, it proves later that none of these
    /// records was changed or removed. 64 zeros if there is no line.
    pub head: String,
    /// The time of the first record.
    pub first: Option<jiff::Timestamp>,
    /// The time of the last record. It is before the first one if the clock was set back.
    pub last: Option<jiff::Timestamp>,
    /// The largest step by which the clock was set back, if it was.
    pub set_back: Option<ClockSetBack>,
    /// The number of records, from 0 on, that the kept head covers; `None` if no head was given.
    pub covered: Option<u64>,
    /// The last signed head in the log.
    pub signed: Option<SignedHead>,
    /// The keys against which the signatures were checked.
    pub trust: Trust,
    /// The numbers of the records that change or remove the key without the signature of the key before; the first 64.
    pub unproven: Vec<u64>,
    /// The number of the record that removed the key, if no key was in force after it.
    pub keyless: Option<u64>,
    /// The files in order, each with the place at which it begins.
    pub files: Vec<(PathBuf, Anchor)>,
}

/// A record whose time is before that of an earlier record, by more than records that are written together differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSetBack {
    /// The number of the record.
    pub seq: u64,
    /// The difference.
    pub by: jiff::SignedDuration,
}

/// The keys against which signatures were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The log is not signed.
    Unsigned,
    /// Keys that the log itself names. Somebody who can rewrite the log can name another key.
    Named,
    /// Keys that were given, or that a given key vouches for.
    Given,
}
