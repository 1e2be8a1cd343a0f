//! Tests of files that are closed, compressed, moved away or left by a crash.

use std::collections::BTreeSet;

use gateway_files::with_suffix;

use super::*;
use crate::active_file::NEXT;
use crate::compress::{UNFINISHED, compress};
use crate::segment::{self, Segment};
use crate::{Anchor, Expected, Trust, VerifyError};

/// The length of a file in these tests, in bytes.
const SHORT: u64 = 4000;

fn open(dir: &Path) -> Log {
    let settings = Settings {
        segment_bytes: SHORT,
        signing: Some(signing(dir, "a.key", None)),
        ..Settings::default()
    };
    Log::open_with(&dir.join("audit.log"), settings).unwrap()
}

fn names(dir: &Path) -> BTreeSet<String> {
    dir.read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn statuses(path: &Path) -> Vec<u16> {
    let records = crate::read(path)
        .unwrap()
        .map(|entry| entry.unwrap().record);
    let status = |record: Record| {
        if let Event::Outcome(outcome) = record.event {
            Some(outcome.status)
        } else {
            None
        }
    };
    records.filter_map(status).collect()
}

#[tokio::test]
async fn continues_across_files_and_starts() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    for _ in 0..5 {
        let log = open(dir.path());
        write(&log, 30).await;
        log.sign_head().await.unwrap();
    }
    assert_eq!(
        statuses(&path),
        (0..5).flat_map(|_| 0..30).collect::<Vec<_>>()
    );
    let found = verified(&path);
    assert!(
        found.files.len() > 5 && found.trust == Trust::Named && found.unproven.is_empty(),
        "{found:?}"
    );
    assert_eq!(
        found.signed.unwrap().head.size,
        found.begins + found.records - 1,
        "the last is the head itself"
    );
    let key = signing(dir.path(), "a.key", None).key.public().clone();
    let trusted = Expected {
        keys: vec![key],
        ..Expected::default()
    };
    assert_eq!(crate::verify(&path, &trusted).unwrap().trust, Trust::Given);
}

#[tokio::test]
async fn compressed_segments_hold_the_same_records() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(dir.path());
    write(&log, 60).await;
    let before = verified(&path);
    let stop = AtomicBool::new(false);
    drop(log);
    for segment in segment::closed(&path).unwrap() {
        compress(&segment, &stop).unwrap();
        assert!(!segment.plain.exists() && segment.compressed().exists());
        assert_eq!(
            std::fs::metadata(segment.compressed()).unwrap().mode() & 0o777,
            0o600
        );
    }
    let after = verified(&path);
    assert_eq!((after.head, after.records), (before.head, before.records));
    assert_eq!(statuses(&path), (0..60).collect::<Vec<_>>());
}

/// What a crash leaves at each step of closing a file and compressing it.
#[tokio::test]
async fn next_start_repairs_every_interrupted_rotation() {
    let _process = PROCESS.read().await;
    for step in 0..6 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let log = open(dir.path());
        write(&log, 40).await;
        drop(log);
        let first = crate::read(&path).unwrap().last().unwrap().unwrap().seq;
        let newest = segment::closed(&path).unwrap().pop().unwrap();
        let stop = AtomicBool::new(false);
        let begins = segment::first_seq(&File::open(&path).unwrap())
            .unwrap()
            .unwrap();
        let twin = Segment::new(&path, begins).plain;
        match step {
            0 => std::fs::write(with_suffix(&path, NEXT), "{\"seq\":").unwrap(),
            1 => std::fs::write(with_suffix(&path, NEXT), std::fs::read(&path).unwrap()).unwrap(),
            2 => {
                std::fs::write(with_suffix(&path, NEXT), "{}\n").unwrap();
                std::fs::hard_link(&path, &twin).unwrap();
            }
            3 => {
                let unfinished = with_suffix(&newest.compressed(), UNFINISHED);
                std::fs::write(unfinished, [0x1f, 0x8b]).unwrap();
            }
            4 => {
                let (_, mut text) = newest.open().unwrap();
                let mut plain = Vec::new();
                io::Read::read_to_end(&mut text, &mut plain).unwrap();
                compress(&newest, &stop).unwrap();
                std::fs::write(&newest.plain, plain).unwrap();
            }
            _ => {}
        }
        assert_eq!(
            verified(&path).records,
            first + 1,
            "readers do not mind: {step}"
        );
        let log = open(dir.path());
        write(&log, 1).await;
        drop(log);
        for segment in segment::closed(&path).unwrap() {
            compress(&segment, &stop).unwrap();
        }
        assert_eq!(
            statuses(&path),
            (0..40).chain([0]).collect::<Vec<_>>(),
            "{step}"
        );
        verified(&path);
        let left = names(dir.path());
        assert!(
            left.iter()
                .all(|name| !name.ends_with(NEXT) && !name.ends_with(UNFINISHED)),
            "{left:?}"
        );
    }
}

#[tokio::test]
async fn finds_an_open_intent_in_a_closed_segment() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.write_intent(intent(7)).await.unwrap();
    write(&log, 40).await;
    drop(log);
    assert_eq!(open(dir.path()).recovered().unknown_outcomes, 1);
    assert_eq!(open(dir.path()).recovered().unknown_outcomes, 0);
}

#[tokio::test]
async fn failed_rotation_lets_the_file_grow() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(dir.path());
    std::fs::create_dir_all(with_suffix(&path, NEXT).join("in the way")).unwrap();
    write(&log, 40).await;
    assert!(segment::closed(&path).unwrap().is_empty());
    assert_eq!(verified(&path).files.len(), 1);
}

#[tokio::test]
async fn verifies_from_an_anchor_without_the_oldest_files() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(dir.path());
    write(&log, 60).await;
    log.sign_head().await.unwrap();
    drop(log);
    let whole = verified(&path);
    let (_, anchor) = whole.files[2].clone();
    let closed = segment::closed(&path).unwrap();
    for segment in &closed[..2] {
        let _ = std::fs::remove_file(&segment.plain);
        let _ = std::fs::remove_file(segment.compressed());
    }
    let Err(VerifyError::MissingStart(found)) = crate::verify(&path, &Expected::default()) else {
        panic!("not said")
    };
    assert_eq!(found, anchor);
    let at = |anchor: &Anchor| Expected {
        anchor: Some(anchor.clone()),
        ..Expected::default()
    };
    let rest = crate::verify(&path, &at(&anchor)).unwrap();
    assert_eq!(
        (rest.begins, rest.head, rest.signed),
        (anchor.seq, whole.head, whole.signed)
    );
    let wrong = Anchor {
        prev: "0".repeat(64),
        ..anchor.clone()
    };
    assert!(matches!(
        crate::verify(&path, &at(&wrong)),
        Err(VerifyError::AnchorNotFound(_))
    ));
    assert!(crate::prove(&path, crate::Wanted::Seq(anchor.seq + 3), &at(&anchor)).is_ok());
    write(&open(dir.path()), 3).await;
    crate::verify(&path, &at(&anchor)).unwrap();
}

#[tokio::test]
async fn refuses_to_continue_a_log_that_its_head_contradicts() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(dir.path());
    write(&log, 3).await;
    log.sign_head().await.unwrap();
    drop(log);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"status\":1", "\"status\":7", 1)).unwrap();
    let settings = Settings {
        segment_bytes: SHORT,
        signing: Some(signing(dir.path(), "a.key", None)),
        ..Settings::default()
    };
    let Err(Error::Open { source, .. }) = Log::open_with(&path, settings) else {
        panic!("opened")
    };
    assert!(
        source.to_string().contains("a signed head does not match"),
        "{source}"
    );
}
