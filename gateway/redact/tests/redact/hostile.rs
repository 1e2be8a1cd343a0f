//! Hostile input of any kind: no panic, bounded work, and a clear error or a whole archive.

use std::io::{self, Read};

use gateway_core::{Pattern, Plan};
use gateway_redact::{Error, Redaction, RedactionSettings};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use tar::EntryType;

use crate::plans::{redact, redact_from, rule};
use crate::specimen::{Runtime, Specimen, gzip, tar};
use crate::support::tar_of;

const NAMES: [&str; 14] = [
    "spec.dump",
    "config.dump",
    "container.log",
    "rootfs-diff.tar",
    "checkpoint/",
    "checkpoint/mm-1.img",
    "checkpoint/pagemap-1.img",
    "checkpoint/pages-1.img",
    "checkpoint/ghost-file-1.img",
    "checkpoint/tmpfs-dev-1.tar.gz.img",
    "../../etc/passwd",
    "/absolute",
    "a/../../b",
    "",
];

fn plan() -> Plan {
    let mask = vec![
        rule("variables", Pattern::EnvValue("*".to_owned())),
        rule("literal", Pattern::Literal(b"sesame".to_vec())),
    ];
    Plan {
        mask,
        ..Plan::default()
    }
}

fn all() -> Redaction {
    Redaction {
        plan: plan(),
        ..Redaction::default()
    }
}

/// Finds nothing in what is made here.
fn nothing() -> Redaction {
    let mask = vec![rule(
        "nothing",
        Pattern::Literal(b"\x01\x02\x03 never".to_vec()),
    )];
    Redaction {
        plan: Plan {
            mask,
            ..Plan::default()
        },
        ..Redaction::default()
    }
}

fn kind() -> impl Strategy<Value = u8> {
    prop_oneof![5 => Just(b'0'), 1 => prop::sample::select(b"0123456789SxgLKXDMV".to_vec()), 1 => any::<u8>()]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..3000),
        "[a-z =\n]{0,1200}".prop_map(String::into_bytes),
        Just(b"{\"process\":{\"env\":[\"A=sesame\",\"B=1\"]}}".to_vec()),
        Just(gzip(&tar(&[("x".to_owned(), b"open sesame".to_vec())]), 6)),
        Just(tar(&[("x".to_owned(), b"open sesame".to_vec())])),
        Just(b"20 path=spec.dump\n12 size=100\n".to_vec()),
    ]
}

fn archive() -> impl Strategy<Value = Vec<u8>> {
    vec((prop::sample::select(NAMES.to_vec()), kind(), body()), 0..8).prop_map(|members| {
        let members = members.iter().map(|(name, kind, body)| {
            // Names and where links point are passed on as they are.
            let body = if b"12LK".contains(kind) {
                b"target"
            } else {
                body.as_slice()
            };
            (*name, EntryType::new(*kind), body)
        });
        tar_of(&members.collect::<Vec<_>>())
    })
}

/// Hands out pieces of these sizes, over and over.
struct Pieces<'a>(&'a [u8], std::iter::Cycle<std::vec::IntoIter<usize>>);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.1.next().unwrap_or(1).min(buffer.len());
        self.0.read(&mut buffer[..size])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_archive_is_redacted_or_refused(archive in archive()) {
        if let Ok((redacted, _)) = redact(all(), &archive) {
            prop_assert!(!redacted.windows(6).any(|window| window == b"sesame"));
        }
    }

    #[test]
    fn an_archive_without_matches_stays_as_it_is(archive in archive()) {
        if let Ok((redacted, _)) = redact(nothing(), &archive) {
            prop_assert!(redacted == archive);
        }
    }

    #[test]
    fn a_damaged_archive_is_redacted_or_refused(
        archive in archive(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut archive = archive;
        for (at, byte) in damage {
            let at = at.index(archive.len());
            archive[at] = byte;
        }
        let cut = cut.index(archive.len());
        for bytes in [&archive[..], &archive[..cut]] {
            let _ = redact(all(), bytes);
        }
    }

    #[test]
    fn garbage_is_refused(bytes in vec(any::<u8>(), 1..2000)) {
        prop_assert!(redact(all(), &bytes).is_err());
    }
}

/// Documents that hold `sesame` and what must be escaped, at any depth.
fn document() -> impl Strategy<Value = Value> {
    let text = || "(sesame|open|\"|\\\\|\n|\u{e9}|\u{1f600}|=|A){0,4}";
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null)
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let key = prop_oneof![
            Just("env".to_owned()),
            Just("value".to_owned()),
            "[a-z]{0,3}"
        ];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key, inner), 0..5).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// As some writers have it, with every character beyond ASCII escaped.
fn escaped(text: &str) -> String {
    let escape = |unit: &u16| format!("\\u{unit:04x}");
    let character = |c: char| {
        let units = c.encode_utf16(&mut [0; 2]).iter().map(escape).collect();
        if c.is_ascii() { c.to_string() } else { units }
    };
    text.chars().map(character).collect()
}

proptest! {
    #[test]
    fn any_document_stays_json_without_the_secret(document in document()) {
        for text in [document.to_string(), escaped(&document.to_string())] {
            let archive = tar(&[("spec.dump".to_owned(), text.clone().into_bytes())]);
            let (redacted, summary) = redact(all(), &archive).unwrap();
            let masked = &redacted[512..512 + text.len()];
            let read: Value = serde_json::from_slice(masked).unwrap();
            prop_assert!(!read.to_string().contains("sesame"));
            prop_assert_eq!(redacted.len(), archive.len());
            prop_assert!(summary.unreadable.is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn pieces_make_no_difference(sizes in vec(1usize..70_000, 1..9)) {
        in_pieces(sizes);
    }
}

#[test]
fn a_value_in_two_pieces_counts_once() {
    in_pieces(vec![41_024, 17_976]);
}

fn in_pieces(sizes: Vec<usize>) {
    let mut specimen = Specimen::new(vec!["A=open-sesame-now".to_owned(), "B=7".to_owned()]);
    specimen
        .processes
        .iter_mut()
        .for_each(|process| process.heap.truncate(5 * 4096));
    specimen.log.extend(b"open-sesame-now");
    let archive = specimen.archive(Runtime::Containerd);
    let (whole, counted) = redact(all(), &archive).unwrap();
    let pieces = redact_from(all(), &mut Pieces(&archive, sizes.into_iter().cycle())).unwrap();
    assert!(whole == pieces.0, "the bytes differ");
    assert_eq!(counted, pieces.1);
}

#[test]
fn refuses_an_archive_that_is_truncated_anywhere() {
    let mut specimen = Specimen::new(vec!["A=7".to_owned()]);
    specimen.processes.truncate(1);
    specimen.processes[0].heap.truncate(4096);
    specimen.tmpfs.clear();
    let archive = specimen.archive(Runtime::Containerd);
    for cut in (0..archive.len() - 1024)
        .step_by(97)
        .chain((0..archive.len() - 1024).step_by(512))
    {
        let refused = redact(all(), &archive[..cut]).unwrap_err();
        assert!(matches!(refused, Error::Truncated), "{cut}: {refused}");
    }
}

#[test]
fn takes_ten_thousand_members_and_refuses_too_many() {
    let members: Vec<_> = (0..10_000)
        .map(|at| (format!("directory/member-{at}"), b"sesame".to_vec()))
        .collect();
    let archive = tar(&members);
    let (redacted, _) = redact(all(), &archive).unwrap();
    assert_eq!(redacted.len(), archive.len());
    let settings = RedactionSettings {
        max_members: 9_999,
        ..RedactionSettings::default()
    };
    let refused = redact(Redaction { settings, ..all() }, &archive).unwrap_err();
    assert!(matches!(refused, Error::BadTar(_)), "{refused}");
}

#[test]
fn reads_long_names_of_both_kinds() {
    let long = format!("{}/spec.dump", "./".repeat(200));
    let spec = br#"{"process":{"env":["A=7"]}}"#;
    let gnu = tar_of(&[
        ("././@LongLink", EntryType::GNULongName, long.as_bytes()),
        ("short", EntryType::Regular, spec),
    ]);
    let record = format!("{} path={long}\n", long.len() + 10);
    let pax = tar_of(&[
        ("x", EntryType::XHeader, record.as_bytes()),
        ("short", EntryType::Regular, spec),
    ]);
    for archive in [gnu, pax] {
        let (redacted, summary) = redact(all(), &archive).unwrap();
        assert!(redacted.windows(3).any(|window| window == b"A=*"));
        assert_eq!(summary.values_too_short, 1);
    }
}

#[test]
fn refuses_wrong_sizes() {
    let record = |text: &str| {
        tar_of(&[
            ("x", EntryType::XHeader, text.as_bytes()),
            ("f", EntryType::Regular, b"1234"),
        ])
    };
    for text in [
        "13 size=9000\n",
        "30 size=99999999999999999999\n",
        "11 size=-1\n",
        "13 size=0x10\n",
    ] {
        redact(all(), &record(text)).unwrap_err();
    }
    let global = tar_of(&[
        ("x", EntryType::XGlobalHeader, b"10 size=4\n"),
        ("f", EntryType::Regular, b"1234"),
    ]);
    assert!(matches!(redact(all(), &global), Err(Error::BadTar(_))));
    let twice = tar_of(&[
        ("x", EntryType::XHeader, b"15 path=status\n"),
        ("x", EntryType::XHeader, b"18 path=spec.dump\n"),
        ("f", EntryType::Regular, b"{}"),
    ]);
    assert!(matches!(redact(all(), &twice), Err(Error::BadTar(_))));
}

#[test]
fn refuses_data_behind_the_end() {
    let archive = [
        tar_of(&[]),
        tar_of(&[("container.log", EntryType::Regular, b"sesame")]),
    ]
    .concat();
    assert!(matches!(redact(all(), &archive), Err(Error::BadTar(_))));
    let padded = [
        tar_of(&[("container.log", EntryType::Regular, b"log")]),
        vec![0; 9000],
    ]
    .concat();
    assert!(redact(all(), &padded).unwrap().0 == padded);
}

#[test]
fn refuses_headers_that_readers_disagree_about() {
    let with = |kind: EntryType, records: &[u8]| {
        tar_of(&[("x", kind, records), ("f", EntryType::Regular, b"1234")])
    };
    for archive in [
        with(EntryType::new(b'X'), b"11 path=g\n"),
        with(EntryType::XHeader, b"21 GNU.sparse.name=g\n"),
        with(EntryType::XHeader, b"10 size=3\n"),
    ] {
        assert!(matches!(redact(all(), &archive), Err(Error::BadTar(_))));
    }
    redact(all(), &with(EntryType::XHeader, b"10 size=4\n")).unwrap();
    let sparse = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=g\n";
    let sparse_with = |contents: &[u8]| {
        tar_of(&[
            ("x", EntryType::XHeader, sparse),
            ("f", EntryType::Regular, contents),
        ])
    };
    redact(all(), &sparse_with(b"1\n0\n4\n1234")).unwrap();
    // Parts in another order: the file has another text than the contents.
    for wrong in [&b"2\n2\n2\n0\n2\n3412"[..], b"1234"] {
        assert!(redact(all(), &sparse_with(wrong)).is_err());
    }
    for map in [
        b"27 GNU.sparse.map=2,2,0,2\n",
        b"27 GNU.sparse.map=0,3,2,2\n",
    ] {
        let archive = with(EntryType::XHeader, map);
        assert!(matches!(redact(all(), &archive), Err(Error::BadTar(_))));
    }
}
