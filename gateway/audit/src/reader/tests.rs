//! Tests of reading a log that may be damaged.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

const RECORD: &str = r#""prev":"","schema":1,"at":"2026-01-01T00:00:00Z","request_id":"00000000-0000-0000-0000-000000000000","trace_id":null,"event":"removed","because":"age","checkpoint_id":"00000000-0000-0000-0000-000000000000","target":"a/b/c","sha256":"","bytes":1"#;

fn lines(seqs: std::ops::Range<u64>) -> String {
    let target = r#""target":{"namespace":"a","pod":"b","container":"c"}"#;
    let record = RECORD.replace(r#""target":"a/b/c""#, target);
    seqs.map(|seq| format!("{{\"seq\":{seq},{record}}}\n"))
        .collect::<Vec<_>>()
        .concat()
}

fn log() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let mut packed = GzEncoder::new(
        File::create(dir.path().join("audit.log.000000000000.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    packed.write_all(lines(0..3).as_bytes()).unwrap();
    packed.finish().unwrap();
    std::fs::write(dir.path().join("audit.log.000000000003"), lines(3..5)).unwrap();
    std::fs::write(&path, lines(5..7)).unwrap();
    (dir, path)
}

fn seqs(path: &Path) -> Vec<u64> {
    read(path)
        .unwrap()
        .map(|entry| entry.unwrap().seq)
        .collect()
}

#[test]
fn reads_closed_segments_in_order_then_the_active_file() {
    let (dir, path) = log();
    assert_eq!(seqs(&path), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(
        seqs(&dir.path().join("audit.log.000000000000.gz")),
        [0, 1, 2]
    );
    let entry = read(&path).unwrap().nth(4).unwrap().unwrap();
    assert_eq!(
        (entry.hash, [entry.line, b"\n".to_vec()].concat()),
        (
            sha256_hex(lines(4..5).trim_end().as_bytes()),
            lines(4..5).into_bytes()
        )
    );
}

#[test]
fn skips_duplicates_and_files_of_other_logs() {
    let (dir, path) = log();
    // A crash before the plain file is removed leaves both.
    std::fs::write(dir.path().join("audit.log.000000000000"), lines(0..3)).unwrap();
    std::fs::hard_link(&path, dir.path().join("audit.log.000000000005")).unwrap();
    for other in [
        "audit.log.5",
        "audit.log.000000000001.bak",
        "other.log.000000000001",
        "audit.log.next",
    ] {
        std::fs::write(dir.path().join(other), lines(1..2)).unwrap();
    }
    assert_eq!(seqs(&path), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn reports_a_bad_line_by_number_and_reads_on() {
    let (_dir, path) = log();
    let long = "x".repeat(3 << 20);
    std::fs::write(
        &path,
        format!("{}text\n{long}\n{}{{", lines(5..6), lines(6..7)),
    )
    .unwrap();
    let entries: Vec<_> = read(&path)
        .unwrap()
        .skip(5)
        .map(|entry| match entry {
            Ok(entry) => Ok(entry.seq),
            Err(ReadError::Line { line, fault, .. }) => Err((line, fault)),
            Err(other) => panic!("{other}"),
        })
        .collect();
    assert_eq!(
        entries,
        [
            Ok(5),
            Err((2, Fault::NotARecord)),
            Err((3, Fault::TooLong)),
            Ok(6),
            Err((5, Fault::Incomplete))
        ]
    );
}

#[test]
fn unreadable_file_ends_the_reading() {
    let (dir, path) = log();
    assert!(matches!(
        read(&dir.path().join("none")),
        Err(ReadError::File { .. })
    ));
    std::fs::write(
        dir.path().join("audit.log.000000000000.gz"),
        [0x1f, 0x8b, 1, 2],
    )
    .unwrap();
    let entries: Vec<_> = read(&path).unwrap().collect();
    assert!(
        matches!(&*entries, [Err(ReadError::File { path, .. })] if path.ends_with("audit.log.000000000000.gz")),
        "{entries:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes: Vec<u8>, packed: bool) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        if packed {
            bytes.splice(0..0, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
        }
        std::fs::write(&path, bytes).unwrap();
        prop_assert!(read(&path).unwrap().all(|entry| entry.is_err()));
    }
}
