//! Secrets in words of a tar archive that are no contents: names, owners, attributes, and bytes that no reader looks at.

use gateway_core::Plan;
use gateway_redact::{Error, Redaction};
use proptest::prelude::*;

use crate::plans::{redact, rule};
use crate::specimen::{gunzip, gzip, tar};
use crate::support::literal;

const SECRET: &[u8] = b"Hk29-pale-Walnut-774x";

fn redaction() -> Redaction {
    Redaction {
        plan: Plan {
            mask: vec![rule(
                "secret",
                literal(std::str::from_utf8(SECRET).unwrap()),
            )],
            ..Plan::default()
        },
        ..Redaction::default()
    }
}

fn sum(mut header: Vec<u8>) -> Vec<u8> {
    header[148..156].fill(b' ');
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// A header of POSIX's format, after `edit`.
fn header(kind: u8, size: usize, edit: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut header = vec![0; 512];
    for (at, text) in [
        (0, &b"file"[..]),
        (100, b"0000644\0"),
        (108, b"0001750\0"),
        (116, b"0001750\0"),
        (124, format!("{size:011o}\0").as_bytes()),
        (136, b"14711234567\0"),
        (257, b"ustar\x0000"),
        (265, b"root"),
        (297, b"root"),
        (329, b"0000000\0"),
        (337, b"0000000\0"),
    ] {
        header[at..at + text.len()].copy_from_slice(text);
    }
    header[156] = kind;
    edit(&mut header);
    sum(header)
}

fn put(at: usize) -> impl Fn(&mut [u8]) {
    move |header| header[at..at + SECRET.len()].copy_from_slice(SECRET)
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(edit: impl Fn(&mut [u8])) -> Vec<u8> {
    [header(b'0', 1, edit), padded(b"x".to_vec())].concat()
}

fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key, b"=", value, b"\n"].concat();
    let mut length = rest.len() + 1;
    while length.to_string().len() + rest.len() != length {
        length += 1;
    }
    [length.to_string().as_bytes(), &rest].concat()
}

fn extended(kind: u8, body: &[u8]) -> Vec<u8> {
    [
        header(kind, body.len(), |_| {}),
        padded(body.to_vec()),
        file(|_| {}),
    ]
    .concat()
}

/// The entry in the archive's own tar, in one inside it, and in a compressed one.
fn archives(entry: &[u8]) -> [Vec<u8>; 3] {
    let inner = [entry, &[0; 1024]].concat();
    let spec = tar(&[("spec.dump".to_owned(), b"{}".to_vec())]);
    let own = [&spec[..spec.len() - 1024], &inner].concat();
    let diff = |bytes: Vec<u8>| tar(&[("rootfs-diff.tar".to_owned(), bytes)]);
    [own, diff(inner.clone()), diff(gzip(&inner, 6))]
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Everything that can be read of an archive, also of a compressed one in it.
fn readable(archive: &[u8]) -> Vec<u8> {
    let mut all = archive.to_vec();
    for (name, bytes) in crate::specimen::read_tar(archive) {
        if name == "rootfs-diff.tar" && bytes.starts_with(&[0x1f, 0x8b]) {
            all.extend(gunzip(&bytes));
        }
    }
    all
}

fn hidden(what: &str, entry: &[u8]) {
    for archive in archives(entry) {
        let outcome = redact(redaction(), &archive);
        let why = outcome.as_ref().err().map(ToString::to_string);
        assert_eq!(why, None, "{what}");
        let (after, _) = outcome.unwrap();
        assert!(!holds(&readable(&after), SECRET), "{what}");
        // Its own result is read without an objection, and nothing more is found.
        let (again, _) = redact(redaction(), &after).unwrap();
        assert!(again == after, "{what}");
    }
}

#[test]
fn masks_texts_of_headers() {
    for (field, at) in [
        ("name", 0),
        ("target", 157),
        ("user", 265),
        ("group", 297),
        ("prefix", 345),
    ] {
        hidden(field, &file(put(at)));
    }
    for at in [60, 150] {
        // Over two fields, or over their ends.
        hidden(
            "fields",
            &file(|header| {
                header[265..329].fill(b'u');
                put(265 + at % 50)(header);
            }),
        );
    }
}

#[test]
fn leaves_out_bytes_that_no_reader_takes() {
    for (field, at) in [
        ("name", 40),
        ("target", 200),
        ("user", 275),
        ("device", 329),
        ("prefix", 400),
        ("end", 491),
    ] {
        hidden(field, &file(put(at)));
    }
    let mut old = file(put(300));
    old[257..265].fill(0);
    hidden(
        "old format",
        &[sum(old[..512].to_vec()), padded(b"x".to_vec())].concat(),
    );
    let mut gnu = file(put(390));
    gnu[257..265].copy_from_slice(b"ustar  \0");
    hidden(
        "gnu",
        &[sum(gnu[..512].to_vec()), padded(b"x".to_vec())].concat(),
    );
    let behind = [header(b'0', 1, |_| {}), [b"x", SECRET].concat()].concat();
    hidden("padding", &padded(behind));
    let body = record(b"comment", b"c");
    let behind = [
        header(b'x', body.len(), |_| {}),
        padded([&body[..], SECRET].concat()),
        file(|_| {}),
    ];
    hidden("padding of records", &behind.concat());
}

#[test]
fn masks_records_whatever_their_key() {
    for key in [
        "comment",
        "uname",
        "gname",
        "path",
        "linkpath",
        "charset",
        "SCHILY.xattr.user.k",
        "vendor.unknown",
    ] {
        for value in [SECRET.to_vec(), [b"a\0", SECRET, b"\n=\xff"].concat()] {
            if key.contains("path") && value != SECRET {
                continue;
            }
            hidden(key, &extended(b'x', &record(key.as_bytes(), &value)));
        }
    }
    hidden(
        "key",
        &extended(b'x', &record(&[b"user.", SECRET].concat(), b"1")),
    );
    hidden(
        "key and value",
        &extended(b'x', &record(&SECRET[..9], &SECRET[9..])),
    );
    hidden("global", &extended(b'g', &record(b"comment", SECRET)));
    for kind in *b"LK" {
        hidden(
            "long",
            &extended(kind, &[&[b'a'; 90][..], SECRET, b"/b\0"].concat()),
        );
    }
}

#[test]
fn refuses_texts_in_place_of_numbers() {
    let pax = |key: &[u8]| extended(b'x', &record(key, SECRET));
    let mut binary = vec![0x80, 0, 0, 0];
    binary.extend(&SECRET[..8]);
    for entry in [
        file(|header| header[100..108].copy_from_slice(&SECRET[..8])),
        file(|header| header[136..148].copy_from_slice(&SECRET[..12])),
        pax(b"mtime"),
        pax(b"uid"),
        pax(b"GNU.sparse.map"),
        pax(b"size"),
    ] {
        for archive in archives(&entry) {
            assert!(matches!(
                redact(redaction(), &archive),
                Err(Error::BadTar(_))
            ));
        }
    }
    let short = Plan {
        mask: vec![rule(
            "secret",
            literal(std::str::from_utf8(&SECRET[..8]).unwrap()),
        )],
        ..Plan::default()
    };
    for archive in archives(&file(|header| header[136..148].copy_from_slice(&binary))) {
        let refused = redact(
            Redaction {
                plan: short.clone(),
                ..Redaction::default()
            },
            &archive,
        );
        assert!(matches!(refused, Err(Error::BadTar(_))));
    }
}

#[test]
fn ordinary_headers_stay_as_they_are() {
    let entries = [
        file(|_| {}),
        extended(
            b'x',
            &[
                record(b"mtime", b"1750000000.123456789"),
                record(b"uid", b"4294967296"),
            ]
            .concat(),
        ),
        extended(b'x', &record(b"SCHILY.xattr.user.k", b"\0\x01\xff")),
        file(|header| header[136..148].copy_from_slice(&[0xff; 12])),
        file(|header| header[257..265].copy_from_slice(b"ustar  \0")),
    ];
    for archive in archives(&entries.concat()) {
        let (after, _) = redact(redaction(), &archive).unwrap();
        assert!(after == archive);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_place_in_a_header_keeps_a_secret(at in 0usize..491, kind in prop::sample::select(b"0125xgLK7".to_vec()), gnu in any::<bool>()) {
        let size = usize::from(matches!(kind, b'0' | b'7'));
        let mut block = header(kind, size, |_| {});
        if gnu {
            block[257..265].copy_from_slice(b"ustar  \0");
        }
        put(at)(&mut block);
        let block = sum(block);
        let entry = [block, padded(vec![b'x'; size]), file(|_| {})].concat();
        for archive in archives(&entry) {
            if let Ok((after, _)) = redact(redaction(), &archive) {
                prop_assert!(!holds(&readable(&after), SECRET));
            }
        }
    }
}

#[test]
fn no_part_stays_where_another_header_has_the_whole() {
    // Go leaves what is not ASCII out of a member's own header.
    let part = &SECRET[1..];
    for (key, kind, at) in [
        (&b"path"[..], b'0', 0),
        (b"linkpath", b'2', 157),
        (b"uname", b'0', 265),
        (b"gname", b'0', 297),
    ] {
        let body = record(key, SECRET);
        let own = header(kind, 0, |header| {
            header[at..at + part.len()].copy_from_slice(part);
        });
        let entry = [header(b'x', body.len(), |_| {}), padded(body), own].concat();
        for archive in &archives(&entry)[1..] {
            assert!(holds(&readable(archive), part));
            let (hidden, _) = redact(redaction(), archive).unwrap();
            let key = String::from_utf8_lossy(key);
            assert!(!holds(&readable(&hidden), &part[..6]), "{key}");
        }
    }
}
