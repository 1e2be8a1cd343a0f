//! The Merkle tree over the log's lines (RFC 9162, section 2.1): a leaf is SHA-256(0x00 || line), a node
//! SHA-256(0x01 || left || right).

use aws_lc_rs::digest::{Context, Digest, SHA256, digest};
use hex::FromHex;

mod audit_path;

pub(crate) use audit_path::{AuditPath, root_from_path};

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// A tree that grows to the right. It keeps its frontier only: the roots of the perfect subtrees that its leaves make up,
/// one for each bit that is set in the number of leaves, the largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    size: u64,
    frontier: Vec<Hash>,
}

impl Tree {
    /// The tree of `size` leaves with this frontier (hex); `None` if that many leaves have another number of subtrees.
    pub(crate) fn from_frontier(size: u64, frontier: &[String]) -> Option<Self> {
        let frontier = frontier.iter().map(|hash| parse_hash(hash));
        let frontier: Vec<_> = frontier.collect::<Option<_>>()?;
        (frontier.len() == size.count_ones() as usize).then_some(Self { size, frontier })
    }

    /// The number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The frontier as hex.
    pub(crate) fn frontier_hex(&self) -> Vec<String> {
        self.frontier.iter().map(hex::encode).collect()
    }

    /// Adds a leaf.
    pub(crate) fn push(&mut self, mut hash: Hash) {
        let mut filled = self.size;
        while filled & 1 == 1 {
            if let Some(left) = self.frontier.pop() {
                hash = node_hash(&left, &hash);
            }
            filled >>= 1;
        }
        self.frontier.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root. The root of an empty tree is the SHA-256 of no bytes.
    pub(crate) fn root(&self) -> Hash {
        let root = self
            .frontier
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right));
        root.unwrap_or_else(|| to_hash(&digest(&SHA256, &[])))
    }

    /// The root as hex.
    pub(crate) fn root_hex(&self) -> String {
        hex::encode(self.root())
    }
}

/// The hash of a leaf: a line without its line feed.
pub(crate) fn leaf_hash(line: &[u8]) -> Hash {
    hash_parts(&[&[0], line])
}

/// Parses 64 hex digits.
pub(crate) fn parse_hash(text: &str) -> Option<Hash> {
    Hash::from_hex(text).ok()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    hash_parts(&[&[1], left, right])
}

fn hash_parts(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    to_hash(&context.finish())
}

fn to_hash(digest: &Digest) -> Hash {
    let mut hash = Hash::default();
    hash.iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    hash
}

#[cfg(test)]
mod tests;
