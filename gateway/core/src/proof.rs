//! Records with which the audit log proves itself: signed heads, changes of keys, segments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::{Base64, Sha256};

/// A signed tree head. With the public key, it proves the records before it. `gateway/audit/FORMAT.md` describes the tree and
/// the signed bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TreeHead {
    /// The number of lines in the tree: all lines of the log before this one.
    pub size: u64,
    /// The tree's root (SHA-256, hex).
    #[schemars(with = "Sha256")]
    pub root: String,
    /// The id of the key that signed it: SHA-256 (hex) of the public key as DER `SubjectPublicKeyInfo`.
    #[schemars(with = "Sha256")]
    pub key: String,
    /// Ed25519 (RFC 8032), base64.
    #[schemars(with = "Base64")]
    pub signature: String,
}

/// From here on another key signs the audit log, or the first one does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyChange {
    /// The number of lines of the log before this one.
    pub size: u64,
    /// The root (SHA-256, hex) of the tree of those lines.
    #[schemars(with = "Sha256")]
    pub root: String,
    /// The new key's id, as in [`TreeHead::key`].
    #[schemars(with = "Sha256")]
    pub key: String,
    /// The new public key: DER `SubjectPublicKeyInfo`, base64.
    #[schemars(with = "Base64")]
    pub public_key: String,
    /// The id of the previous key; absent for the first key.
    #[schemars(with = "Option<Sha256>")]
    pub previous: Option<String>,
    /// Signature by the previous key (Ed25519, base64); absent if that key was not available, so the change is not proven.
    #[schemars(with = "Option<Base64>")]
    pub signature: Option<String>,
}

/// From here on no key signs the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRemoval {
    /// The number of lines of the log before this one.
    pub size: u64,
    /// The root (SHA-256, hex) of the tree of those lines.
    #[schemars(with = "Sha256")]
    pub root: String,
    /// The id of the key that signed until now, as in [`TreeHead::key`].
    #[schemars(with = "Sha256")]
    pub previous: String,
    /// Signature by that key (Ed25519, base64); absent if it was not available, so the removal is not proven.
    #[schemars(with = "Option<Base64>")]
    pub signature: Option<String>,
}

/// The beginning of a file of the audit log, with everything that a reader needs from the files before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SegmentStart {
    /// The roots (SHA-256, hex) of the perfect subtrees of the lines before this one, the largest first.
    #[schemars(with = "Vec<Sha256>")]
    pub frontier: Vec<String>,
    /// The public key that signs the log, as in [`KeyChange::public_key`]; absent if there is none.
    #[schemars(with = "Option<Base64>")]
    pub public_key: Option<String>,
}
