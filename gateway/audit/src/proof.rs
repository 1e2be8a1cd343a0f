//! Proofs that a record is in the log, checked without the log (RFC 9162, section 2.1.3).

use gateway_core::Record;
use serde::{Deserialize, Serialize};

use crate::chain::{Link, MAX_LINE};
use crate::key::PublicKey;
use crate::merkle::{leaf_hash, parse_hash, root_from_path};
use crate::signature::SignedHead;

/// A record, and the proof that it is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The record's line without its line feed.
    pub line: String,
    /// The line's number.
    pub index: u64,
    /// The hashes (SHA-256, hex) that lead from the line to the root, beginning with its sibling.
    pub path: Vec<String>,
    /// The signed head with that root.
    pub head: SignedHead,
}

/// Why a proof is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The line is not from a log, or has another number than the proof gives.
    #[error("its line is not a record, or has another seq than its index")]
    Line,
    /// The path does not lead to the head's root.
    #[error("its path does not lead from the record to the root of the signed head")]
    Path,
    /// None of the given keys signed the head.
    #[error("its head is not signed by a given key (key {key})")]
    Signature {
        /// The id of the key that the head names.
        key: String,
    },
}

impl Proof {
    /// Checks the proof against the `keys` that may have signed the log, and returns the record.
    ///
    /// # Errors
    /// The first part of the proof that is wrong.
    pub fn check(&self, keys: &[PublicKey]) -> Result<Record, ProofError> {
        let record = self.record().ok_or(ProofError::Line)?;
        if self.root().as_ref() != Some(&self.head.head.root) {
            return Err(ProofError::Path);
        }
        if keys.iter().any(|key| self.head.signed_by(key)) {
            return Ok(record);
        }
        Err(ProofError::Signature {
            key: self.head.head.key.chars().take(64).collect(),
        })
    }

    fn record(&self) -> Option<Record> {
        let line = self.line.as_bytes();
        let is_line = line.len() <= MAX_LINE && !line.contains(&b'\n');
        let seq = Link::parse(line).ok()?.seq;
        (is_line && seq == self.index)
            .then(|| serde_json::from_slice(line).ok())
            .flatten()
    }

    /// The root to which the path leads, as hex.
    fn root(&self) -> Option<String> {
        let path = self.path.iter().map(|hash| parse_hash(hash));
        let path: Vec<_> = path.collect::<Option<_>>()?;
        let leaf = leaf_hash(self.line.as_bytes());
        root_from_path(self.index, self.head.head.size, leaf, &path).map(hex::encode)
    }
}
