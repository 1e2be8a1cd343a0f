use gateway_core::{DropRule, MaskRule, Masked, Pattern, Place, Plan};
use gateway_redact::{EnvValue, Error, Redaction, RedactionSettings};
use serde_json::{Value, json};
use tar::{EntryType, Header};

use crate::plans::{hide_variables, redact, rule};
use crate::specimen::{
    Dice, Members, PAGE, Runtime, Specimen, gunzip, gzip, image, message, read_tar, tar,
};

fn only(place: Place, pattern: Pattern) -> Plan {
    Plan {
        mask: vec![MaskRule {
            places: [place].into(),
            ..rule("rule", pattern)
        }],
        ..Plan::default()
    }
}

fn literal(text: &str) -> Pattern {
    Pattern::Literal(text.into())
}

fn drop_entry(entry: &str) -> Plan {
    Plan {
        drop: vec![DropRule {
            name: "drop".to_owned(),
            entry: entry.to_owned(),
        }],
        ..Plan::default()
    }
}

fn run(plan: Plan, archive: &[u8]) -> Result<Members, Error> {
    redact(
        Redaction {
            plan,
            ..Redaction::default()
        },
        archive,
    )
    .map(|(bytes, _)| read_tar(&bytes))
}

fn member(members: &Members, name: &str) -> Vec<u8> {
    members
        .iter()
        .find(|(member, _)| member == name)
        .unwrap()
        .1
        .clone()
}

fn one(name: &str, bytes: &[u8]) -> Vec<u8> {
    tar(&[(name.to_owned(), bytes.to_vec())])
}

fn variables() -> Specimen {
    Specimen::new(
        [
            "PATH=/bin",
            "PIN=123",
            "TOKEN=s3cr3t-\"\\\u{fc}-token",
            "EMPTY=",
            "TOKENLESS",
        ]
        .map(str::to_owned)
        .into(),
    )
}

#[test]
fn nothing_changes_where_nothing_is_found_or_planned() {
    for runtime in [Runtime::Containerd, Runtime::CriO] {
        let archive = variables().archive(runtime);
        for plan in [
            Plan::default(),
            hide_variables("NOT_THERE"),
            drop_entry("rootfs-diff.tar:/etc/shadow"),
        ] {
            let (redacted, summary) = redact(
                Redaction {
                    plan,
                    ..Redaction::default()
                },
                &archive,
            )
            .unwrap();
            assert!(redacted == archive, "{runtime:?}");
            assert_eq!(summary.passes, 1);
        }
    }
}

#[test]
fn a_value_too_short_to_search_for_is_masked_in_environments_and_counted() {
    for runtime in [Runtime::Containerd, Runtime::CriO] {
        let mut specimen = variables();
        specimen.log.extend(b"number 123\n");
        let redaction = Redaction {
            plan: hide_variables("PIN"),
            ..Redaction::default()
        };
        let (redacted, summary) = redact(redaction, &specimen.archive(runtime)).unwrap();
        let open = crate::specimen::laid_open(&redacted);
        let text = String::from_utf8_lossy(&open);
        assert!(!text.contains("PIN=123"));
        assert!(
            text.contains("PIN=***") && text.contains("number 123") && text.contains("PATH=/bin")
        );
        assert_eq!(
            (
                summary.values_hidden,
                summary.values_too_short,
                summary.passes
            ),
            (0, 1, 1)
        );
        let masked = |masks| Masked {
            masks,
            bytes: masks * 3,
        };
        assert_eq!(
            summary.rules[0].places,
            [(Place::Spec, masked(1)), (Place::Memory, masked(2))].into()
        );
    }
}

#[test]
fn documents_stay_json_whatever_is_hidden_in_them() {
    let document = json!({
        "process": {
            "env": ["A=x\"y\\z\u{1f600}", "B=plain", "PLAIN", "=", "A"],
            "args": ["--key=x\"y\\z\u{1f600}", "kept"],
        },
        "x\"y\\z\u{1f600}": 1,
    });
    for text in [
        document.to_string(),
        serde_json::to_string_pretty(&document).unwrap(),
    ] {
        let escaped = text
            .replace('\u{1f600}', "\\ud83d\\ude00")
            .replace("\"A=", "\"\\u0041\\u003d");
        for text in [text, escaped] {
            let plan = hide_variables("A");
            let members = run(plan, &one("spec.dump", text.as_bytes())).unwrap();
            let masked = member(&members, "spec.dump");
            assert_eq!(masked.len(), text.len());
            let read: Value = serde_json::from_slice(&masked).unwrap();
            assert!(
                read["process"]["env"][0]
                    .as_str()
                    .unwrap()
                    .trim_start_matches("A=")
                    .bytes()
                    .all(|b| b == b'*')
            );
            assert_eq!(read["process"]["env"][1], "B=plain");
            assert_eq!(read["process"]["args"][1], "kept");
            assert!(!String::from_utf8_lossy(&masked).contains("x\\\"y"));
            assert!(!read.to_string().contains('z'), "{read}");
        }
    }
}

#[test]
fn a_document_that_is_no_json_is_searched_under_every_rule_and_told() {
    let plan = only(Place::Logs, literal("sesame"));
    let (redacted, summary) = redact(
        Redaction {
            plan,
            ..Redaction::default()
        },
        &one("spec.dump", b"{open sesame"),
    )
    .unwrap();
    assert_eq!(member(&read_tar(&redacted), "spec.dump"), b"{open ******");
    assert_eq!(summary.unreadable, ["spec.dump"]);
}

#[test]
fn what_is_not_known_is_searched_under_every_rule() {
    for place in [Place::Spec, Place::Memory, Place::Logs, Place::Files] {
        for name in [
            "new.thing",
            "checkpoint/new",
            "a/../b",
            "/etc/passwd",
            "../../up",
        ] {
            let archive = tar_of(&[(name, EntryType::Regular, b"open sesame")]);
            let members = run(only(place, literal("sesame")), &archive).unwrap();
            assert_eq!(members[0].1, b"open ******", "{name}");
        }
    }
}

#[test]
fn every_spelling_of_a_name_and_every_duplicate_is_treated_alike() {
    let spec = br#"{"process":{"env":["PIN=123"]}}"#;
    let names = [
        "spec.dump",
        "./spec.dump",
        "/spec.dump",
        "x/../spec.dump",
        "spec.dump",
    ];
    let archive = tar_of(&names.map(|name| (name, EntryType::Regular, &spec[..])));
    for (name, bytes) in run(hide_variables("PIN"), &archive).unwrap() {
        assert_eq!(bytes, br#"{"process":{"env":["PIN=***"]}}"#, "{name}");
    }
}

#[test]
fn links_and_devices_go_on_and_are_never_followed() {
    let kinds = [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Fifo,
        EntryType::Directory,
    ];
    for kind in kinds {
        let archive = tar_of(&[("spec.dump", kind, b""), ("../../etc/cron.d/x", kind, b"")]);
        let (redacted, _) = redact(
            Redaction {
                plan: hide_variables("*"),
                ..Redaction::default()
            },
            &archive,
        )
        .unwrap();
        assert!(redacted == archive);
    }
}

#[test]
fn a_value_learnt_after_it_was_needed_makes_for_a_second_pass() {
    let secret = "a-value-that-only-the-spec-knows";
    let spec = json!({"process": {"env": [format!("KEY={secret}")]}}).to_string();
    let archive = tar(&[
        (
            "checkpoint/core-1.img".to_owned(),
            format!("__{secret}__").into_bytes(),
        ),
        ("spec.dump".to_owned(), spec.into_bytes()),
    ]);
    let plan = hide_variables("KEY");
    let redaction = Redaction {
        plan,
        ..Redaction::default()
    };
    let (redacted, summary) = redact(redaction.clone(), &archive).unwrap();
    assert_eq!(summary.passes, 2);
    assert!(!String::from_utf8_lossy(&redacted).contains(secret));
    let places: u64 = summary.rules[0]
        .places
        .values()
        .map(|masked| masked.masks)
        .sum();
    assert_eq!(places, 2, "what the first pass masked is not counted again");
    let values = vec![EnvValue {
        name: "KEY".to_owned(),
        value: secret.into(),
    }];
    let (same, summary) = redact(
        Redaction {
            values,
            ..redaction
        },
        &archive,
    )
    .unwrap();
    assert_eq!(summary.passes, 1);
    assert!(same == redacted);
}

#[test]
fn environments_are_found_whatever_the_order_of_the_images() {
    let mut members = variables().members(Runtime::CriO);
    members.retain(|(name, _)| name.starts_with("checkpoint/"));
    let rotate = |by: usize| {
        let mut members = members.clone();
        members.rotate_left(by);
        members
    };
    let reversed = members.iter().rev().cloned().collect();
    for members in (0..members.len()).map(rotate).chain([reversed]) {
        let redaction = Redaction {
            plan: hide_variables("PIN"),
            ..Redaction::default()
        };
        let (redacted, summary) = redact(redaction, &tar(&members)).unwrap();
        assert!(!String::from_utf8_lossy(&redacted).contains("PIN=123"));
        assert!(summary.passes <= 3);
    }
}

#[test]
fn an_image_that_should_tell_where_environments_lie_and_does_not_is_refused() {
    for name in ["checkpoint/mm-1.img", "checkpoint/pagemap-1.img"] {
        for bytes in [&b""[..], b"garbage", &[0xff; 40], &image(&[vec![0xff; 9]])] {
            let refused = run(hide_variables("*"), &one(name, bytes)).unwrap_err();
            assert!(matches!(refused, Error::Opaque { .. }), "{refused}");
            // Where no environment is to be hidden, it may be what it likes.
            run(only(Place::Memory, literal("x")), &one(name, bytes)).unwrap();
        }
    }
}

#[test]
fn pages_that_do_not_fit_their_map_are_never_published() {
    let map = image(&[
        message(&[(1, 1)]),
        message(&[(1, 0x1000), (2, 0), (4, 4), (5, 3)]),
    ]);
    for (pages, fits) in [(3, true), (2, false), (4, false)] {
        let archive = tar(&[
            ("checkpoint/pagemap-1.img".to_owned(), map.clone()),
            ("checkpoint/pages-1.img".to_owned(), vec![1; pages * PAGE]),
        ]);
        let outcome = run(only(Place::Memory, literal("x")), &archive);
        assert_eq!(outcome.is_ok(), fits, "{pages}");
        assert!(
            outcome
                .err()
                .is_none_or(|error| matches!(error, Error::BrokeArchive(_)))
        );
    }
}

#[test]
fn entries_are_left_out_with_all_that_points_to_them() {
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
fn gzip_in_several_members_is_read_to_its_end() {
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
fn what_cannot_be_looked_into_is_refused_unless_no_rule_wants_to() {
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
fn a_gzip_bomb_is_refused() {
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
fn what_is_stored_with_holes_is_searched_as_it_is_or_refused() {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_size(11);
    for (name, fits) in [
        ("container.log", true),
        ("spec.dump", false),
        ("checkpoint/pages-1.img", false),
    ] {
        let mut builder = tar::Builder::new(Vec::new());
        builder
            .append_data(&mut header, name, &b"open sesame"[..])
            .unwrap();
        let archive = builder.into_inner().unwrap();
        let plan = Plan {
            mask: vec![rule("rule", literal("sesame"))],
            ..Plan::default()
        };
        let outcome = redact(
            Redaction {
                plan,
                ..Redaction::default()
            },
            &archive,
        );
        assert_eq!(outcome.is_ok(), fits, "{name}");
        assert!(
            outcome.is_err()
                || outcome
                    .unwrap()
                    .0
                    .windows(11)
                    .any(|window| window == b"open ******")
        );
    }
}

#[test]
fn extended_attributes_are_searched_too() {
    let record = b"38 SCHILY.xattr.user.key=open-sesame\n\n";
    let archive = [
        tar_of(&[("x", EntryType::XHeader, record)]),
        one("rootfs-diff.tar", b""),
    ]
    .concat();
    let archive = [&archive[..1024], &archive[2048..]].concat();
    let plan = only(Place::Logs, literal("sesame"));
    let (redacted, _) = redact(
        Redaction {
            plan,
            ..Redaction::default()
        },
        &archive,
    )
    .unwrap();
    assert!(redacted.windows(11).any(|window| window == b"open-******"));
}

/// As they are told, without the `tar` crate's care. A link's bytes are where it points.
pub(crate) fn tar_of(members: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, kind, bytes) in members {
        let link = matches!(kind, EntryType::Link | EntryType::Symlink) && bytes.len() <= 100;
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(if link { 0 } else { bytes.len() as u64 });
        if link {
            header.as_mut_bytes()[157..157 + bytes.len()].copy_from_slice(bytes);
        }
        header.set_cksum();
        archive.extend(header.as_bytes());
        if !link {
            archive.extend(*bytes);
            archive.resize(archive.len().next_multiple_of(512), 0);
        }
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}
