//! The ways in which a line of a log can be wrong.

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It cannot be parsed as a record.
    #[error("it is not a record of a chained log")]
    NotARecord,
    /// It has no line feed: it was cut by a crash or by somebody, or a gateway is writing it now.
    #[error("it is incomplete")]
    Incomplete,
    /// It is longer than any record.
    #[error("it is longer than a record may be")]
    TooLong,
    /// It has another number than its position: lines were removed, added or moved here.
    #[error("it has the seq {found}: a line was removed, added or moved here")]
    WrongSeq {
        /// The number that it has.
        found: u64,
    },
    /// It does not have the digest that the next line names.
    #[error("it was changed: the next line has the digest of another line")]
    Changed,
    /// It does not have the digest that the last line names, and no further line tells which of the two was changed.
    #[error("it or the last line was changed: the last line does not have the digest of this one")]
    Ambiguous,
    /// It does not name the digest of the line before it, nor does the line after it name its digest.
    #[error("it was changed: it does not have the digest of the line before it")]
    Unlinked,
    /// It is a statement about the lines before it, and does not match them.
    #[error(
        "its root does not match: a record from seq {since} on was changed, and the chain after it was rewritten"
    )]
    WrongRoot {
        /// The first record of the range that holds a changed one.
        since: u64,
    },
    /// It should be signed by another key than it says.
    #[error("it is signed by another key than the one in force")]
    WrongKey,
    /// Its signature is invalid.
    #[error("its signature is not valid")]
    BadSignature,
    /// Keys were given, and it is signed by another one, for which none of them vouches.
    #[error("it is signed by a key that was neither given nor vouched for by a given key")]
    UntrustedKey,
}
