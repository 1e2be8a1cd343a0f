//! The Merkle tree over the lines, as in RFC 9162, section 2.1: a leaf is SHA-256(0x00 || line), a node SHA-256(0x01 || left
//! || right).

use aws_lc_rs::digest::{Context, Digest, SHA256, digest};

use crate::chain::hex;

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// The hash of a leaf: a line without its end.
pub(crate) fn leaf(line: &[u8]) -> Hash {
    joined(&[&[0], line])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    joined(&[&[1], left, right])
}

fn joined(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    bytes(&context.finish())
}

fn bytes(digest: &Digest) -> Hash {
    let mut hash = Hash::default();
    hash.iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    hash
}

/// Reads 64 hex digits.
pub(crate) fn parse(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// A tree that grows to the right, in memory for its frontier: the roots of the perfect subtrees that its leaves make up, one
/// for each bit of their number, the largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    size: u64,
    frontier: Vec<Hash>,
}

impl Tree {
    /// Of `size` leaves, from its frontier in hex; `None` where that is no frontier of so many.
    pub(crate) fn of(size: u64, frontier: &[String]) -> Option<Self> {
        let frontier: Vec<_> = frontier
            .iter()
            .map(|hash| parse(hash))
            .collect::<Option<_>>()?;
        (frontier.len() == size.count_ones() as usize).then_some(Self { size, frontier })
    }

    /// How many leaves it has.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Its frontier in hex.
    pub(crate) fn frontier(&self) -> Vec<String> {
        self.frontier.iter().map(|hash| hex(hash)).collect()
    }

    /// Adds a leaf.
    pub(crate) fn push(&mut self, mut hash: Hash) {
        let mut filled = self.size;
        while filled & 1 == 1 {
            if let Some(left) = self.frontier.pop() {
                hash = node(&left, &hash);
            }
            filled >>= 1;
        }
        self.frontier.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// Its root. That of no leaves is the SHA-256 of nothing.
    pub(crate) fn root(&self) -> Hash {
        let root = self
            .frontier
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node(&left, &right));
        root.unwrap_or_else(|| bytes(&digest(&SHA256, &[])))
    }
}

/// An audit path in the making (RFC 9162, section 2.1.3.1): of one leaf in a tree of a known size.
pub(crate) struct Path {
    /// The siblings, from the leaf upwards: which leaves they have, and what of them was seen.
    siblings: Vec<(std::ops::Range<u64>, Tree)>,
}

impl Path {
    /// Of the leaf that comes next to `before`, in the tree of `size` leaves that this will be.
    pub(crate) fn next_to(before: &Tree, size: u64) -> Self {
        let mut left = before.frontier.iter();
        let sibling = |range: std::ops::Range<u64>| {
            let mut tree = Tree::default();
            if range.end <= before.size {
                // What is left of a leaf are perfect subtrees: those of the frontier.
                tree = Tree {
                    size: range.end - range.start,
                    frontier: left.next().copied().into_iter().collect(),
                };
            }
            (range, tree)
        };
        let mut siblings: Vec<_> = siblings(before.size, size)
            .into_iter()
            .map(sibling)
            .collect();
        siblings.reverse();
        Self { siblings }
    }

    /// Takes in the leaf at `place`, whichever it is.
    pub(crate) fn pass(&mut self, place: u64, leaf: Hash) {
        if let Some((_, tree)) = self
            .siblings
            .iter_mut()
            .find(|(range, tree)| range.contains(&place) && tree.size < range.end - range.start)
        {
            tree.push(leaf);
        }
    }

    /// The path, from the leaf upwards, in hex. Every leaf of the tree must have passed.
    pub(crate) fn finish(self) -> Vec<String> {
        self.siblings
            .iter()
            .map(|(_, tree)| hex(&tree.root()))
            .collect()
    }
}

/// The leaves of each sibling on the way from the root down to `leaf`.
fn siblings(leaf: u64, size: u64) -> Vec<std::ops::Range<u64>> {
    let (mut start, mut end) = (0, size);
    let mut siblings = Vec::new();
    while end - start > 1 {
        // The largest power of two that is smaller than the number of leaves.
        let middle = start + (1 << (end - start - 1).ilog2());
        if leaf < middle {
            siblings.push(middle..end);
            end = middle;
        } else {
            siblings.push(start..middle);
            start = middle;
        }
    }
    siblings
}

/// The root that `path` leads to from the leaf at `place` in a tree of `size` leaves (RFC 9162, section 2.1.3.2); `None` where
/// it does not have the length that it must have.
pub(crate) fn climb(place: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    let (mut place, mut last) = (place, size.checked_sub(1).filter(|last| place <= *last)?);
    let mut root = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            root = node(sibling, &root);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            root = node(&root, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 9162, section 2.1.1, to the letter.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => bytes(&digest(&SHA256, &[])),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&defined(left), &defined(right))
            }
        }
    }

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|place| leaf(&place.to_be_bytes())).collect()
    }

    #[test]
    fn the_root_is_that_of_the_standard() {
        // The vectors of certificate-transparency-go, merkle_tree_test.go.
        let inputs: [&[u8]; 3] = [b"", b"\x00", b"\x10"];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        ];
        let mut tree = Tree::default();
        assert_eq!(hex(&tree.root()), roots[0]);
        for (input, root) in inputs.iter().zip(&roots[1..]) {
            tree.push(leaf(input));
            assert_eq!(hex(&tree.root()), *root);
        }
        let all = leaves(70);
        for size in 0..70 {
            let mut tree = Tree::default();
            all[..size].iter().for_each(|leaf| tree.push(*leaf));
            assert_eq!(tree.root(), defined(&all[..size]), "{size}");
            assert_eq!(Tree::of(size as u64, &tree.frontier()), Some(tree));
        }
    }

    #[test]
    fn a_path_leads_from_its_leaf_to_the_root_and_from_nothing_else() {
        for size in 1..40 {
            let all = leaves(size);
            for place in 0..size {
                let mut tree = Tree::default();
                let mut path = None;
                for (at, leaf) in (0..).zip(&all) {
                    match &mut path {
                        None if at == place => path = Some(Path::next_to(&tree, size)),
                        None => {}
                        Some(path) => path.pass(at, *leaf),
                    }
                    tree.push(*leaf);
                }
                let path: Vec<_> = path
                    .unwrap()
                    .finish()
                    .iter()
                    .map(|hash| parse(hash).unwrap())
                    .collect();
                let at = usize::try_from(place).unwrap();
                assert_eq!(
                    climb(place, size, all[at], &path),
                    Some(tree.root()),
                    "{place} of {size}"
                );
                assert_ne!(climb(place, size, leaf(b"other"), &path), Some(tree.root()));
                assert_eq!(
                    climb(place, size, all[at], &[path, vec![all[at]]].concat()),
                    None
                );
                assert_eq!(climb(size, size, all[at], &[]), None);
            }
        }
    }

    #[test]
    fn what_is_no_frontier_makes_no_tree() {
        assert_eq!(Tree::of(2, &[]), None);
        assert_eq!(Tree::of(1, &["0".repeat(63)]), None);
        assert_eq!(Tree::of(1, &["ä".repeat(32)]), None);
    }
}
