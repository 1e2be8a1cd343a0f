//! Contents that a plan leaves out, under all of their names.

use gateway_core::{DropRule, Plan};
use gateway_redact::{Error, Redaction};
use tar::EntryType::{Directory, Link, Regular, Symlink};

use crate::plans::redact;
use crate::specimen::{gunzip, gzip, read_tar, tar};
use crate::support::{member, tar_of};

const HASH: &[u8] = b"root:$6$salt$contents:20000:0:99999:7:::";

fn dropping(entries: &[&str]) -> Redaction {
    let drop = entries.iter().map(|entry| DropRule {
        name: "drop".to_owned(),
        entry: (*entry).to_owned(),
    });
    Redaction {
        plan: Plan {
            drop: drop.collect(),
            ..Plan::default()
        },
        ..Redaction::default()
    }
}

/// The names that are left of these entries without `dropped`.
fn left(entries: &[(&str, tar::EntryType, &[u8])], dropped: &str) -> Vec<String> {
    let diff = tar_of(entries);
    let mut results = [false, true].map(|gz| {
        let stored = if gz { gzip(&diff, 6) } else { diff.clone() };
        let archive = tar(&[("rootfs-diff.tar".to_owned(), stored)]);
        let rule = format!("rootfs-diff.tar:{dropped}");
        let (after, summary) = redact(dropping(&[&rule]), &archive).unwrap();
        let stored = member(&read_tar(&after), "rootfs-diff.tar");
        let stored = if gz { gunzip(&stored) } else { stored };
        assert!(!stored.windows(HASH.len()).any(|window| window == HASH));
        let left = read_tar(&stored);
        assert_eq!(
            summary.dropped[0].entries,
            (entries.len() - left.len()) as u64
        );
        left.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    });
    assert_eq!(results[0], results[1]);
    std::mem::take(&mut results[0])
}

#[test]
fn a_folder_is_left_out_with_everything_in_it() {
    let entries = [
        ("run/secrets", Directory, &b""[..]),
        ("run/secrets/token", Regular, HASH),
        ("run/secrets2", Regular, b"kept"),
        ("run", Directory, b""),
    ];
    assert_eq!(left(&entries, "/run/secrets"), ["run/secrets2", "run"]);
}

#[test]
fn contents_go_whichever_of_their_names_has_them() {
    let entries = [
        ("b0", Link, &b"etc/backup"[..]),
        ("etc/backup", Regular, HASH),
        ("etc/shadow", Link, b"etc/backup"),
        ("b2", Link, b"./etc/shadow"),
        ("b3", Link, b"/b2"),
        ("etc/other", Regular, b"kept"),
        ("b4", Link, b"etc/other"),
    ];
    assert_eq!(left(&entries, "etc/shadow"), ["etc/other", "b4"]);
}

#[test]
fn names_are_resolved_as_a_reader_does() {
    for name in [
        "./etc/./shadow",
        "//etc/shadow",
        "etc/x/../shadow",
        "etc//shadow",
        "../etc/shadow",
    ] {
        assert_eq!(
            left(&[(name, Regular, HASH)], "etc/shadow"),
            [""; 0],
            "{name}"
        );
    }
    let entries = [
        ("e", Symlink, &b"etc"[..]),
        ("deep/f", Symlink, b"../e/./"),
        ("deep/f/shadow", Regular, HASH),
        ("b", Link, b"e/shadow"),
        ("g/shadow", Regular, HASH),
        ("g", Symlink, b"/deep/../e"),
    ];
    assert_eq!(left(&entries, "/etc/shadow"), ["e", "deep/f", "g"]);
    // The rule's own name leads through links, too.
    let entries = [
        ("etc/shadow", Symlink, &b"../run/real"[..]),
        ("run/real", Regular, HASH),
        ("run/real2", Regular, b"kept"),
    ];
    assert_eq!(left(&entries, "etc/shadow"), ["run/real2"]);
}

#[test]
fn chains_of_links_end() {
    let mut entries = vec![("etc/shadow".to_owned(), Regular, HASH.to_vec())];
    let names: Vec<_> = (0..2000).map(|index| format!("l{index}")).collect();
    for pair in names.windows(2).rev() {
        entries.push((pair[1].clone(), Link, pair[0].as_bytes().to_vec()));
    }
    entries.push(("l0".to_owned(), Link, b"etc/shadow".to_vec()));
    let entries: Vec<_> = entries
        .iter()
        .map(|(name, kind, bytes)| (name.as_str(), *kind, bytes.as_slice()))
        .collect();
    assert_eq!(left(&entries, "etc/shadow"), [""; 0]);
    let loops = [
        ("a", Symlink, &b"b"[..]),
        ("b", Symlink, b"a"),
        ("a/shadow", Regular, b"kept"),
    ];
    assert_eq!(left(&loops, "etc/shadow"), ["a", "b", "a/shadow"]);
}

#[test]
fn members_go_with_links_to_them() {
    let archive = tar_of(&[
        ("spec.dump", Regular, b"{}"),
        ("container.log", Regular, HASH),
        ("log2", Link, b"container.log"),
        ("log3", Link, b"./log2"),
        ("log4", Regular, b"kept"),
    ]);
    let (after, summary) = redact(dropping(&["container.log"]), &archive).unwrap();
    let names: Vec<_> = read_tar(&after).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["spec.dump", "log4"]);
    assert_eq!(summary.dropped[0].entries, 3);
}

#[test]
fn refuses_a_member_whose_contents_came_under_another_name() {
    for kind in [Link, Symlink] {
        let archive = tar_of(&[("log1", Regular, HASH), ("container.log", kind, b"log1")]);
        let refused = redact(dropping(&["container.log"]), &archive);
        assert!(matches!(refused, Err(Error::Opaque { .. })));
    }
}
