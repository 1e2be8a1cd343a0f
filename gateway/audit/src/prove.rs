//! Makes proofs that records are in the log, for somebody who does not have the log.

use std::path::Path;

use gateway_core::{Event, Record, RequestId};
use serde::Deserialize;

use crate::chain::Link;
use crate::lines::{Lines, ReadError};
use crate::merkle::{AuditPath, Tree, leaf_hash};
use crate::proof::Proof;
use crate::signature::SignedHead;
use crate::verify::{Expected, VerifyError, verify};

/// The most records that one call proves.
const MAX_PROOFS: usize = 64;

/// The records that are to be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The record with this number.
    Seq(u64),
    /// All records of this request.
    Request(RequestId),
}

/// Why records cannot be proven.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The log itself does not verify.
    #[error(transparent)]
    Unverified(#[from] VerifyError),
    /// The log cannot be read again after it was verified.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no such record.
    #[error("the log has no such record")]
    Absent,
    /// The record is there, but after the last signed head.
    #[error(
        "no signed head covers it yet: the gateway signs one every `audit.head-seconds`, if it has a key"
    )]
    Unsigned,
    /// There are more records than one call proves.
    #[error("more than {MAX_PROOFS} records: prove each by its seq")]
    TooMany,
}

impl Wanted {
    fn matches(self, seq: u64, line: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Fields {
            request_id: RequestId,
        }
        match self {
            Self::Seq(wanted) => wanted == seq,
            Self::Request(id) => {
                serde_json::from_slice(line).is_ok_and(|Fields { request_id }| request_id == id)
            }
        }
    }
}

/// Proves that records are in the log at `path` by its last signed head. The log is verified first.
///
/// # Errors
/// If the log does not verify, or a signed head covers no such record.
pub fn prove(path: &Path, wanted: Wanted, expected: &Expected) -> Result<Vec<Proof>, ProveError> {
    if let Some(head) = verify(path, expected)?.signed {
        let found = collect(path, wanted, head.head.size)?;
        if !found.is_empty() {
            return Ok(found.into_iter().map(|leaf| leaf.proof(&head)).collect());
        }
    }
    Err(if exists(path, wanted)? {
        ProveError::Unsigned
    } else {
        ProveError::Absent
    })
}

/// A record with its audit path.
struct ProvenLeaf {
    line: Vec<u8>,
    index: u64,
    path: AuditPath,
}

impl ProvenLeaf {
    fn proof(self, head: &SignedHead) -> Proof {
        Proof {
            line: String::from_utf8_lossy(&self.line).into_owned(),
            index: self.index,
            path: self.path.finish(),
            head: head.clone(),
        }
    }
}

/// Collects the wanted records and their audit paths from the first `size` lines, which are verified.
fn collect(path: &Path, wanted: Wanted, size: u64) -> Result<Vec<ProvenLeaf>, ProveError> {
    let (mut found, mut tree, mut line) = (Vec::<ProvenLeaf>::new(), None, Vec::new());
    let mut lines = Lines::open(path)?;
    while lines.next(&mut line)? {
        let tree = tree.get_or_insert_with(|| tree_before(&line));
        let index = tree.size();
        if index >= size {
            break;
        }
        let hash = leaf_hash(&line);
        for leaf in &mut found {
            leaf.path.add_leaf(index, hash);
        }
        if wanted.matches(index, &line) {
            if found.len() == MAX_PROOFS {
                return Err(ProveError::TooMany);
            }
            found.push(ProvenLeaf {
                line: line.clone(),
                index,
                path: AuditPath::of_next_leaf(tree, size),
            });
        }
        tree.push(hash);
    }
    Ok(found)
}

/// The tree of the lines before `line`, which is the first one that is there.
fn tree_before(line: &[u8]) -> Tree {
    let seq = Link::parse(line).map_or(0, |link| link.seq);
    match serde_json::from_slice(line) {
        Ok(Record {
            event: Event::Segment(start),
            ..
        }) => Tree::from_frontier(seq, &start.frontier),
        _ => None,
    }
    .unwrap_or_default()
}

fn exists(path: &Path, wanted: Wanted) -> Result<bool, ReadError> {
    let (mut lines, mut line) = (Lines::open(path)?, Vec::new());
    while lines.next(&mut line)? {
        if Link::parse(&line).is_ok_and(|link| wanted.matches(link.seq, &line)) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
