//! Tests of the tree and its audit paths against RFC 9162 and known vectors.

use super::*;

/// The definition of RFC 9162, section 2.1.1, word for word.
fn root_by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => to_hash(&digest(&SHA256, &[])),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root_by_definition(left), &root_by_definition(right))
        }
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count)
        .map(|index| leaf_hash(&index.to_be_bytes()))
        .collect()
}

#[test]
fn root_matches_certificate_transparency_vectors() {
    // The vectors of certificate-transparency-go, merkle_tree_test.go.
    let inputs: [&[u8]; 3] = [b"", b"\x00", b"\x10"];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    ];
    let mut tree = Tree::default();
    assert_eq!(tree.root_hex(), roots[0]);
    for (input, root) in inputs.iter().zip(&roots[1..]) {
        tree.push(leaf_hash(input));
        assert_eq!(tree.root_hex(), *root);
    }
}

#[test]
fn root_matches_the_definition_for_every_size() {
    let all = leaves(70);
    for size in 0..70 {
        let mut tree = Tree::default();
        all[..size].iter().for_each(|leaf| tree.push(*leaf));
        assert_eq!(tree.root(), root_by_definition(&all[..size]), "{size}");
        assert_eq!(
            Tree::from_frontier(size as u64, &tree.frontier_hex()),
            Some(tree)
        );
    }
}

#[test]
fn audit_path_leads_from_its_leaf_to_the_root_only() {
    for size in 1..40 {
        let all = leaves(size);
        for index in 0..size {
            let (tree, path) = tree_and_path(&all, index);
            let leaf = all[usize::try_from(index).unwrap()];
            let root = Some(tree.root());
            assert_eq!(
                root_from_path(index, size, leaf, &path),
                root,
                "{index} of {size}"
            );
            assert_ne!(
                root_from_path(index, size, leaf_hash(b"other"), &path),
                root
            );
            let longer = [path, vec![leaf]].concat();
            assert_eq!(root_from_path(index, size, leaf, &longer), None);
            assert_eq!(root_from_path(size, size, leaf, &[]), None);
        }
    }
}

fn tree_and_path(leaves: &[Hash], index: u64) -> (Tree, Vec<Hash>) {
    let (mut tree, mut path) = (Tree::default(), None);
    for (at, leaf) in (0..).zip(leaves) {
        match &mut path {
            None if at == index => path = Some(AuditPath::of_next_leaf(&tree, leaves.len() as u64)),
            None => {}
            Some(path) => path.add_leaf(at, *leaf),
        }
        tree.push(*leaf);
    }
    let path = path.unwrap().finish();
    (
        tree,
        path.iter().map(|hash| parse_hash(hash).unwrap()).collect(),
    )
}

#[test]
fn malformed_frontier_makes_no_tree() {
    assert_eq!(Tree::from_frontier(2, &[]), None);
    assert_eq!(Tree::from_frontier(1, &["0".repeat(63)]), None);
    assert_eq!(Tree::from_frontier(1, &["ä".repeat(32)]), None);
}
