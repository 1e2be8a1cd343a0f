//! Proofs that a record is in the log, for those who do not have the log (RFC 9162, section 2.1.3).

use std::path::Path;

use gateway_core::{Record, RequestId};
use serde::{Deserialize, Serialize};

use crate::chain::{LONGEST, Link, hex};
use crate::key::PublicKey;
use crate::lines::Lines;
use crate::merkle::{self, Tree, climb, leaf, parse};
use crate::seal::SignedHead;
use crate::verify::{Expected, VerifyError, verify, walk};

/// The most records that are proven at once.
const MOST: usize = 64;

/// Which records are to be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The one at this place.
    Seq(u64),
    /// All of this request.
    Request(RequestId),
}

/// A record, and the proof that it is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The record's line without its end.
    pub line: String,
    /// Its place in the log.
    pub index: u64,
    /// The hashes (SHA-256, hex) that lead from it to the root, the first being its sibling.
    pub path: Vec<String>,
    /// The head with that root.
    pub head: SignedHead,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The log does not hold, and proves nothing.
    #[error(transparent)]
    VerifyError(#[from] VerifyError),
    /// There is no such record.
    #[error("there is no such record in the log")]
    Absent,
    /// It is there, and nobody has signed that yet.
    #[error(
        "no signed head covers it yet: the gateway signs one after `audit.head-seconds`, if it has a key"
    )]
    Unsigned,
    /// There are more than can be proven at once.
    #[error("there are more than {MOST} such records: prove each by its seq")]
    Many,
}

/// What is wrong with a proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Its line is none of a log, or one of another place than it says.
    #[error("its line is no record, or has another seq than its index")]
    Line,
    /// Its path does not lead to the head's root.
    #[error("its path does not lead from the record to the root of the signed head")]
    Path,
    /// The head is signed by none of the keys that were given.
    #[error("its head is not signed by a key that was given (key {key})")]
    Signature {
        /// The key's id, as the head has it.
        key: String,
    },
}

impl Proof {
    /// Checks the proof against the `keys` that may have signed the log, and gives the record.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, keys: &[PublicKey]) -> Result<Record, ProofError> {
        let line = self.line.as_bytes();
        let whole = line.len() <= LONGEST && !line.contains(&b'\n');
        let seq = Link::of(line).ok().map(|link| link.seq);
        let record = serde_json::from_slice(line).map_err(|_| ProofError::Line)?;
        if !whole || seq != Some(self.index) {
            return Err(ProofError::Line);
        }
        let path: Option<Vec<_>> = self.path.iter().map(|hash| parse(hash)).collect();
        let root = path.and_then(|path| climb(self.index, self.head.head.size, leaf(line), &path));
        if root.is_none_or(|root| hex(&root) != self.head.head.root) {
            return Err(ProofError::Path);
        }
        if keys.iter().any(|key| self.head.signed_by(key)) {
            return Ok(record);
        }
        Err(ProofError::Signature {
            key: self.head.head.key.chars().take(64).collect(),
        })
    }
}

/// Proves that records are in the log at `path`, by its last signed head. The log is verified before that.
///
/// # Errors
/// Where there is nothing to prove, or nothing to prove it with.
pub fn prove(path: &Path, wanted: Wanted, expected: &Expected) -> Result<Vec<Proof>, ProveError> {
    let Some(head) = verify(path, expected)?.signed else {
        return Err(if exists(path, wanted)? {
            ProveError::Unsigned
        } else {
            ProveError::Absent
        });
    };
    let found = pass(path, wanted, head.head.size)?;
    if found.is_empty() {
        return Err(if exists(path, wanted)? {
            ProveError::Unsigned
        } else {
            ProveError::Absent
        });
    }
    Ok(found.into_iter().map(|begun| begun.proof(&head)).collect())
}

/// A proof in the making.
struct Begun {
    line: Vec<u8>,
    index: u64,
    path: merkle::Path,
}

impl Begun {
    fn proof(self, head: &SignedHead) -> Proof {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        Proof {
            line,
            index: self.index,
            path: self.path.finish(),
            head: head.clone(),
        }
    }
}

/// Passes the first `size` lines, which hold.
fn pass(path: &Path, wanted: Wanted, size: u64) -> Result<Vec<Begun>, ProveError> {
    let (mut begun, mut tree, mut line) = (Vec::<Begun>::new(), None, Vec::new());
    let lost = |error| ProveError::from(walk::unreadable(error, path));
    let mut lines = Lines::of(path).map_err(lost)?;
    while lines.next(&mut line).map_err(lost)? {
        let tree = tree.get_or_insert_with(|| first(&line));
        let index = tree.size();
        if index >= size {
            break;
        }
        let hash = leaf(&line);
        for begun in &mut begun {
            begun.path.pass(index, hash);
        }
        if wanted.is(index, &line) {
            if begun.len() == MOST {
                return Err(ProveError::Many);
            }
            begun.push(Begun {
                line: line.clone(),
                index,
                path: merkle::Path::next_to(tree, size),
            });
        }
        tree.push(hash);
    }
    Ok(begun)
}

/// The tree before the first line that is there.
fn first(line: &[u8]) -> Tree {
    let seq = Link::of(line).map_or(0, |link| link.seq);
    match serde_json::from_slice(line) {
        Ok(Record {
            event: gateway_core::Event::Segment(start),
            ..
        }) => Tree::of(seq, &start.frontier),
        _ => None,
    }
    .unwrap_or_default()
}

fn exists(path: &Path, wanted: Wanted) -> Result<bool, ProveError> {
    let lost = |error| ProveError::from(walk::unreadable(error, path));
    let (mut lines, mut line) = (Lines::of(path).map_err(lost)?, Vec::new());
    while lines.next(&mut line).map_err(lost)? {
        if Link::of(&line).is_ok_and(|link| wanted.is(link.seq, &line)) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Wanted {
    fn is(self, seq: u64, line: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct About {
            request_id: RequestId,
        }
        match self {
            Self::Seq(wanted) => wanted == seq,
            Self::Request(id) => {
                serde_json::from_slice(line).is_ok_and(|About { request_id }| request_id == id)
            }
        }
    }
}

#[cfg(test)]
mod tests;
