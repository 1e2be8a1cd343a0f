//! SHA-256 of modules, plans and cache keys.

use aws_lc_rs::digest::{SHA256, digest};

/// The SHA-256 of `bytes` as 64 lower-case hex digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}
