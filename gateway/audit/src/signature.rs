//! The texts that the log's keys sign, as FORMAT.md gives them, and the checks of those signatures.

use gateway_core::{KeyChange, KeyRemoval, TreeHead};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key::PublicKey;

/// A signed tree head with its time. Kept away from the log, it proves later whether the log still begins with the same
/// records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// The time of the signature.
    pub at: Timestamp,
    /// The signed tree head and the key's id.
    #[serde(flatten)]
    pub head: TreeHead,
}

impl SignedHead {
    /// Whether `key` signed it.
    pub fn signed_by(&self, key: &PublicKey) -> bool {
        let TreeHead {
            size,
            root,
            key: id,
            signature,
        } = &self.head;
        id == key.id() && key.verifies(&head_text(*size, root, id, self.at), signature)
    }
}

/// Whether `previous` vouches for the new key of `change`, made at `at`.
pub(crate) fn change_signed_by(previous: &PublicKey, change: &KeyChange, at: Timestamp) -> bool {
    let text = key_text(change.size, &change.root, &change.key, previous.id(), at);
    change.previous.as_deref() == Some(previous.id())
        && change
            .signature
            .as_deref()
            .is_some_and(|signature| previous.verifies(&text, signature))
}

/// Whether `previous` signed its own removal, made at `at`.
pub(crate) fn removal_signed_by(previous: &PublicKey, removal: &KeyRemoval, at: Timestamp) -> bool {
    let text = removal_text(removal.size, &removal.root, previous.id(), at);
    removal.previous == previous.id()
        && removal
            .signature
            .as_deref()
            .is_some_and(|signature| previous.verifies(&text, signature))
}

/// The signed text of a tree head. No value contains a line feed, so no two heads have the same text.
pub(crate) fn head_text(size: u64, root: &str, key: &str, at: Timestamp) -> String {
    format!("checkpoint-gateway audit head v1\n{size}\n{root}\n{key}\n{at}\n")
}

/// The signed text of a change to the key with the id `key`.
pub(crate) fn key_text(size: u64, root: &str, key: &str, previous: &str, at: Timestamp) -> String {
    format!("checkpoint-gateway audit key v1\n{size}\n{root}\n{key}\n{previous}\n{at}\n")
}

/// The signed text of a key's removal.
pub(crate) fn removal_text(size: u64, root: &str, previous: &str, at: Timestamp) -> String {
    format!("checkpoint-gateway audit key-removed v1\n{size}\n{root}\n{previous}\n{at}\n")
}
