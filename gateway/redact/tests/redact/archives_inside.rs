//! Masking of archives inside the archive: they are unpacked and compressed again.

use gateway_core::{Place, Plan};
use gateway_redact::{Error, Redaction, RedactionSettings};
use tar::EntryType;

use crate::plans::{redact, rule};
use crate::specimen::{Dice, gunzip, gzip, read_tar, tar};
use crate::support::{drop_entry, literal, member, one, only, run, tar_of};

#[test]
fn leaves_out_entries_with_hard_links_to_them() {
    let diff = tar_of(&[
        ("./etc", EntryType::Directory, b""),
        ("./etc/shadow", EntryType::Regular, b"root:secret"),
        ("etc/shadow-", EntryType::Regular, b"kept"),
        ("backup", EntryType::Link, b"etc/shadow"),
        ("pointer", EntryType::Symlink, b"etc/shadow"),
    ]);
    for gz in [false, true] {
        let stored = if gz { gzip(&diff, 6) } else { diff.clone() };
        let archive = tar(&[
            ("container.log".to_owned(), b"log".to_vec()),
            ("rootfs-diff.tar".to_owned(), stored),
            ("status".to_owned(), b"{}".to_vec()),
        ]);
        let plan = Plan {
            drop: [
                drop_entry("rootfs-diff.tar:/etc/shadow").drop,
                drop_entry("container.log").drop,
            ]
            .concat(),
            ..Plan::default()
        };
        let (redacted, summary) = redact(
            Redaction {
                plan,
                ..Redaction::default()
            },
            &archive,
        )
        .unwrap();
        let members = read_tar(&redacted);
        assert_eq!(
            members
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>(),
            ["rootfs-diff.tar", "status"]
        );
        let stored = member(&members, "rootfs-diff.tar");
        let names: Vec<_> = read_tar(&if gz { gunzip(&stored) } else { stored })
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["./etc", "etc/shadow-", "pointer"]);
        assert_eq!(
            summary
                .dropped
                .iter()
                .map(|drop| drop.entries)
                .collect::<Vec<_>>(),
            [2, 1]
        );
    }
}

#[test]
fn a_dumped_tmpfs_takes_the_length_that_it_compresses_to() {
    let name = "checkpoint/tmpfs-dev-9.tar.gz.img";
    let secret = "open-sesame";
    for (length, level) in [(50, 6), (5_000, 9), (200_000, 1), (200_000, 6)] {
        let text = format!("key: {secret}\n{}", Dice::new(3).text(length));
        let before = gzip(&one("./file", text.as_bytes()), level);
        let archive = tar(&[
            (name.to_owned(), before.clone()),
            ("checkpoint/core-1.img".to_owned(), secret.into()),
        ]);
        let plan = Plan {
            mask: vec![rule("rule", literal(secret))],
            ..Plan::default()
        };
        let members = run(plan, &archive).unwrap();
        let after = member(&members, name);
        assert_ne!(after.len(), before.len(), "{length} bytes at level {level}");
        let files = read_tar(&gunzip(&after));
        assert_eq!(files[0].1.len(), text.len());
        assert!(files[0].1 == text.replace(secret, "***********").as_bytes());
        assert_eq!(member(&members, "checkpoint/core-1.img"), b"***********");
    }
}

#[test]
fn reads_gzip_of_several_members_to_its_end() {
    let diff = one("file", b"nothing, then sesame");
    let (one_half, other) = diff.split_at(600);
    let stored = [gzip(one_half, 1), gzip(other, 9)].concat();
    let members = run(
        only(Place::Files, literal("sesame")),
        &one("rootfs-diff.tar", &stored),
    )
    .unwrap();
    let inner = read_tar(&gunzip(&member(&members, "rootfs-diff.tar")));
    assert_eq!(inner[0].1, b"nothing, then ******");
}

#[test]
fn refuses_archives_that_a_rule_cannot_search() {
    let zstd = [&[0x28, 0xb5, 0x2f, 0xfd][..], &[7; 900]].concat();
    for bytes in [
        &zstd[..],
        b"short",
        &[0x1f, 0x8b, 9, 9, 9],
        &gzip(b"no tar at all, but compressed", 6),
    ] {
        for name in ["rootfs-diff.tar", "checkpoint/tmpfs-dev-1.tar.gz.img"] {
            run(only(Place::Files, literal("x")), &one(name, bytes)).unwrap_err();
            let members = run(only(Place::Logs, literal("x")), &one(name, bytes)).unwrap();
            assert_eq!(members[0].1, bytes);
        }
    }
}

#[test]
fn refuses_a_gzip_bomb() {
    let bomb = gzip(&one("zeros", &vec![0; 1 << 20]), 9);
    let settings = RedactionSettings {
        max_unpacked_bytes: 1 << 20,
        ..RedactionSettings::default()
    };
    let plan = only(Place::Files, literal("x"));
    let refused = redact(
        Redaction {
            plan,
            settings,
            ..Redaction::default()
        },
        &one("rootfs-diff.tar", &bomb),
    );
    assert!(matches!(
        refused,
        Err(Error::Bomb {
            limit: 1_048_576,
            ..
        })
    ));
}

#[test]
fn a_small_last_file_does_not_bound_the_archive_around_it() {
    let diff = tar(&[
        ("large".to_owned(), Dice::new(3).text(300_000).into_bytes()),
        ("last".to_owned(), b"open sesame".to_vec()),
    ]);
    let settings = RedactionSettings {
        always_unpacked_bytes: 64 << 10,
        ..RedactionSettings::default()
    };
    let redaction = Redaction {
        plan: only(Place::Files, literal("sesame")),
        settings,
        ..Redaction::default()
    };
    let (redacted, _) = redact(redaction, &one("rootfs-diff.tar", &gzip(&diff, 6))).unwrap();
    let packed = member(&read_tar(&redacted), "rootfs-diff.tar");
    assert_eq!(member(&read_tar(&gunzip(&packed)), "last"), b"open ******");
}
