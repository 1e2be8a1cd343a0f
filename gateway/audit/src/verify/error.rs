//! The reasons why a log does not verify.

use std::path::PathBuf;

use super::expected::Anchor;
use crate::fault::Fault;
use crate::lines::ReadError;

/// Why a log does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A line is not what was written.
    #[error("`{}`, line {line} (seq {seq}): {fault}", .path.file_name().unwrap_or_default().display())]
    Broken {
        /// The file that holds the line.
        path: PathBuf,
        /// The line's number in that file, from 1.
        line: u64,
        /// The line's number in the log, from 0.
        seq: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The chain is intact, but no line has the kept digest.
    #[error("no line has the digest {head}: the log was cut after seq {}, or is another one", .records.saturating_sub(1))]
    HeadNotFound {
        /// The kept digest.
        head: String,
        /// The number of records in the log.
        records: u64,
    },
    /// The chain is intact, but has fewer lines than the kept head covers.
    #[error("the kept head covers {size} records, but there are {records}: the log was cut after seq {}", .records.saturating_sub(1))]
    TooShort {
        /// The number of records that the head covers.
        size: u64,
        /// The number of records in the log.
        records: u64,
    },
    /// The chain is intact, but the kept head is from another one.
    #[error(
        "fork: the first {size} records are not those that the kept head covers; a record from seq {since} on was changed"
    )]
    Fork {
        /// The number of records that the head covers.
        size: u64,
        /// The first record of the range that holds a changed one.
        since: u64,
    },
    /// The kept head ends before the log begins.
    #[error("the kept head covers {size} records, but the log begins after them, at seq {begins}")]
    HeadBeforeStart {
        /// The number of records that the head covers.
        size: u64,
        /// The number of the log's first record.
        begins: u64,
    },
    /// The kept head is not signed by a trusted key.
    #[error(
        "the kept head is not signed by a key that was given or that the log names (key {key})"
    )]
    UntrustedHead {
        /// The id of the key that the head names.
        key: String,
    },
    /// Records are missing at the beginning, and no anchor was given.
    #[error(
        "it begins at seq {}: the records before are missing. If they were moved away and verified, give --anchor {}:{}",
        .0.seq, .0.seq, .0.prev
    )]
    MissingStart(Anchor),
    /// The log does not pass through the given anchor.
    #[error("it does not pass through the anchor {}:{}", .0.seq, .0.prev)]
    AnchorNotFound(Anchor),
    /// Keys were given, but none of them signed a head in the log.
    #[error("no head in it is signed by a key that was given")]
    NoTrustedHead,
}
