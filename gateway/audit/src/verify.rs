//! Whether a log is what was written: its chain, its tree, its signatures, and what was kept elsewhere.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::key::PublicKey;
use crate::lines::Lines;
use crate::merkle;
use crate::seal::SignedHead;

mod keys;
pub(crate) mod walk;

/// What is known of a log from elsewhere, from a place that is trusted more than its files.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// A head of an earlier time: the log must go on from there.
    pub head: Option<KeptHead>,
    /// The keys that may have signed it, and those that they vouch for. Where there is none, heads are checked against the keys
    /// that the log itself names.
    pub keys: Vec<PublicKey>,
    /// A place in it: where older segments were moved away, the log must begin there.
    pub anchor: Option<Anchor>,
}

/// A head that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptHead {
    /// The digest (SHA-256, hex) of the last line at that time.
    Digest(String),
    /// A signed tree head.
    Signed(SignedHead),
}

/// A place in the chain, between two lines. Written `SEQ:HEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The place of the line behind it.
    pub seq: u64,
    /// The digest (SHA-256, hex) of the line before it.
    pub prev: String,
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "an anchor is the seq of a line, a colon, and its prev in 64 hexadecimal digits"
                .to_owned()
        };
        let (seq, prev) = text.split_once(':').ok_or_else(wrong)?;
        merkle::parse(prev).ok_or_else(wrong)?;
        Ok(Self {
            seq: seq.parse().map_err(|_| wrong())?,
            prev: prev.to_ascii_lowercase(),
        })
    }
}

/// What a log proves to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The place of its first record: not 0 where older segments were moved away. What is before was not checked.
    pub begins: u64,
    /// How many records it holds.
    pub records: u64,
    /// The digest (SHA-256, hex) of the last line without its end: kept elsewhere, it proves later that none of these
    /// records was changed or cut off. 64 zeros where there is none.
    pub head: String,
    /// When the first record was written.
    pub first: Option<jiff::Timestamp>,
    /// When the last record was written. Earlier than the first where the clock was set back.
    pub last: Option<jiff::Timestamp>,
    /// Where the clock was furthest behind what it had said before, if it was set back.
    pub set_back: Option<ClockSetBack>,
    /// How many records, from 0 on, the head that was kept covers; absent where none was given.
    pub covered: Option<u64>,
    /// The last signed head that is in it.
    pub signed: Option<SignedHead>,
    /// Whose word for that head it is.
    pub trust: Trust,
    /// The places of the records with which the key changed, or was taken away, and the key before it did not vouch for that;
    /// the first 64.
    pub unproven: Vec<u64>,
    /// The place of the record with which the key was taken away, where none has signed since.
    pub keyless: Option<u64>,
    /// Its files, in order, with the place where each begins.
    pub files: Vec<(PathBuf, Anchor)>,
}

/// A record that is older, by what the clock said, than one before it; by more than records that wait for the same disk
/// differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSetBack {
    /// Its place.
    pub seq: u64,
    /// By how much.
    pub by: jiff::SignedDuration,
}

/// Against what the signatures were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// There is none.
    Unsigned,
    /// Keys that the log itself names: whoever can write the log anew can name another one.
    Named,
    /// Keys that were given, or that these vouch for.
    Given,
}

/// Why a log is not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A record is not what was written.
    #[error("`{}`, line {line} (seq {seq}): {fault}", .path.file_name().unwrap_or_default().display())]
    Broken {
        /// The file with the first bad line.
        path: PathBuf,
        /// Its number in that file, from 1.
        line: u64,
        /// Its place in the log, from 0.
        seq: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The chain holds, and has no line with the digest that was kept.
    #[error("no line has the digest {head}: the log was cut after seq {}, or is another one", .records.saturating_sub(1))]
    Cut {
        /// The digest that was kept.
        head: String,
        /// How many records there are.
        records: u64,
    },
    /// The chain holds, and has fewer lines than when the head that was kept was signed.
    #[error("the head that was kept covers {size} records, and there are {records}: the log was cut after seq {}", .records.saturating_sub(1))]
    Short {
        /// How many the head covers.
        size: u64,
        /// How many there are.
        records: u64,
    },
    /// The chain holds, and is not the one that the head that was kept is of.
    #[error(
        "fork: the first {size} records are not those that the head that was kept covers; a record from seq {since} on was changed"
    )]
    Fork {
        /// How many the head covers.
        size: u64,
        /// The first of the records among which is one that differs.
        since: u64,
    },
    /// The head that was kept ends before the log begins.
    #[error(
        "the head that was kept covers {size} records, and the log begins behind them, at seq {begins}"
    )]
    Before {
        /// How many the head covers.
        size: u64,
        /// The place of the first record.
        begins: u64,
    },
    /// The head that was kept has no signature that counts.
    #[error(
        "the head that was kept is not signed by a key that is given, or that the log names (key {key})"
    )]
    Forged {
        /// The key's id, as the head has it.
        key: String,
    },
    /// Segments are missing, and nobody says that they should.
    #[error(
        "it begins at seq {}: what was before is missing. If it was moved away and verified, give --anchor {}:{}",
        .0.seq, .0.seq, .0.prev
    )]
    Begins(Anchor),
    /// The log does not go through the place that was given.
    #[error("it does not go through the anchor {}:{}", .0.seq, .0.prev)]
    Anchor(Anchor),
    /// Keys were given, and none of them signed it.
    #[error("no head in it is signed by a key that was given")]
    Unsigned,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It cannot be read as a record.
    #[error("it is no record of a chained log")]
    Foreign,
    /// It has no end: a crash or somebody cut it short, or it is being written.
    #[error("it is cut short")]
    Short,
    /// No record is so long.
    #[error("it is longer than a record may be")]
    Long,
    /// It has the place of another line: lines were removed, added or exchanged here.
    #[error("it has the seq {found}: a line was removed, added or moved here")]
    Moved {
        /// Which place it has.
        found: u64,
    },
    /// It is not the line that the next one was chained to.
    #[error("it was changed: the next line was chained to another")]
    Changed,
    /// It and the line before it do not fit, and no line follows that could tell which of them was changed.
    #[error("it was changed, or the last line behind it was: they do not fit")]
    Unfit,
    /// It names another line before it than there is, and is not what the line after it was chained to, either.
    #[error("it was changed: it does not name the line before it")]
    Unchained,
    /// It says what the log was when it was written, and that was something else.
    #[error(
        "it was written to another log: a record from seq {since} on was changed, and those behind it made anew"
    )]
    Root {
        /// The first of the records among which is one that differs.
        since: u64,
    },
    /// Another key than it says had to sign it.
    #[error("it is signed by another key than the one in force")]
    Key,
    /// Its signature does not hold.
    #[error("its signature does not hold")]
    Signature,
    /// Keys were given, and this is signed by another one, for which none of them vouches.
    #[error("it is signed by a key that was neither given nor vouched for by one that was")]
    Untrusted,
}

/// Reads the log at `path`, its closed segments first, in memory for a few lines, and checks chain, tree and signatures, and
/// that it is what is `expected`. Without a head that was kept elsewhere, nobody can tell whether lines were cut off its end.
///
/// # Errors
/// The first bad record, by its place.
pub fn verify(path: &Path, expected: &Expected) -> Result<Verified, VerifyError> {
    let lines = Lines::of(path).map_err(|lost| walk::unreadable(lost, path))?;
    walk::walk(lines, expected)
}

#[cfg(test)]
mod tests;
