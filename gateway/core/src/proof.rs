use serde::{Deserialize, Serialize};

/// A signed tree head: what makes the records of the audit log so far provable to whoever has the public key. The tree and
/// what exactly is signed are described in `gateway/audit/FORMAT.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeHead {
    /// How many lines of the log the tree has: all before this one.
    pub size: u64,
    /// The tree's root (SHA-256, hex).
    pub root: String,
    /// Which key signed it: the SHA-256 (hex) of the public key as DER `SubjectPublicKeyInfo`.
    pub key: String,
    /// Ed25519 (RFC 8032), base64.
    pub signature: String,
}

/// From here on another key signs the audit log, or the first one does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// How many lines of the log are before this one.
    pub size: u64,
    /// The root (SHA-256, hex) of the tree of those.
    pub root: String,
    /// The new key's id, as in [`TreeHead::key`].
    pub key: String,
    /// The new public key: DER `SubjectPublicKeyInfo`, base64.
    pub public_key: String,
    /// The id of the key before it; absent where this is the first.
    pub previous: Option<String>,
    /// By the key before it (Ed25519, base64); absent where that was not at hand: the change is then without proof.
    pub signature: Option<String>,
}

/// From here on no key signs the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRemoval {
    /// How many lines of the log are before this one.
    pub size: u64,
    /// The root (SHA-256, hex) of the tree of those.
    pub root: String,
    /// The id of the key that signed until now, as in [`TreeHead::key`].
    pub previous: String,
    /// By that key (Ed25519, base64); absent where it was not at hand: the removal is then without proof.
    pub signature: Option<String>,
}

/// A file of the audit log begins. Holds what a reader needs of the files before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentStart {
    /// The roots (SHA-256, hex) of the perfect subtrees that the lines before this one make up, the largest first.
    pub frontier: Vec<String>,
    /// The public key that signs the log, as in [`KeyChange::public_key`]; absent where there is none.
    pub public_key: Option<String>,
}
