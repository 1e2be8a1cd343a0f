//! Audit paths (RFC 9162, section 2.1.3): the hashes that lead from a leaf to the root.

use std::ops::Range;

use super::{Hash, Tree, node_hash};

/// The audit path of one leaf in a tree of a known size, collected while the leaves pass by.
pub(crate) struct AuditPath {
    /// The sibling subtrees from the leaf upwards: the range of their leaves, and the leaves seen so far.
    siblings: Vec<(Range<u64>, Tree)>,
}

impl AuditPath {
    /// The path of the leaf that follows `before`, in a tree that will have `size` leaves.
    pub(crate) fn of_next_leaf(before: &Tree, size: u64) -> Self {
        let mut left = before.frontier.iter();
        let sibling = |range: Range<u64>| {
            let mut tree = Tree::default();
            if range.end <= before.size {
                // The siblings left of a leaf are perfect subtrees: those of the frontier.
                tree = Tree {
                    size: range.end - range.start,
                    frontier: left.next().copied().into_iter().collect(),
                };
            }
            (range, tree)
        };
        let mut siblings: Vec<_> = sibling_ranges(before.size, size)
            .into_iter()
            .map(sibling)
            .collect();
        siblings.reverse();
        Self { siblings }
    }

    /// Takes in the leaf with the number `index`.
    pub(crate) fn add_leaf(&mut self, index: u64, leaf: Hash) {
        if let Some((_, tree)) = self
            .siblings
            .iter_mut()
            .find(|(range, tree)| range.contains(&index) && tree.size < range.end - range.start)
        {
            tree.push(leaf);
        }
    }

    /// The path from the leaf upwards as hex. All leaves of the tree must have been added.
    pub(crate) fn finish(self) -> Vec<String> {
        self.siblings
            .iter()
            .map(|(_, tree)| tree.root_hex())
            .collect()
    }
}

/// The leaves of each sibling subtree on the way from the root down to `leaf`.
fn sibling_ranges(leaf: u64, size: u64) -> Vec<Range<u64>> {
    let (mut start, mut end) = (0, size);
    let mut siblings = Vec::new();
    while end - start > 1 {
        // The left subtree has the largest power of two that is smaller than the number of leaves.
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

/// The root to which `path` leads from the leaf at `index` in a tree of `size` leaves (RFC 9162, section 2.1.3.2);
/// `None` if the path has the wrong length.
pub(crate) fn root_from_path(index: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    let (mut index, mut last) = (index, size.checked_sub(1).filter(|last| index <= *last)?);
    let mut root = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if index & 1 == 1 || index == last {
            root = node_hash(sibling, &root);
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            root = node_hash(&root, sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}
