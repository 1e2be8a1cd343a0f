use std::collections::BTreeSet;

use super::*;
use crate::disk::NEXT;
use crate::segment::{self, with};
use crate::{Anchor, Expected, Trust, VerifyError};

const SHORT: u64 = 4000;

pub(super) fn signing(dir: &Path, name: &str, previous: Option<&str>) -> Signing {
    let (key, previous) = (dir.join(name), previous.map(|name| dir.join(name)));
    if !key.exists() {
        SigningKey::generate(&key).unwrap();
    }
    Signing::read(&key, previous.as_deref(), NonZeroU64::new(8).unwrap()).unwrap()
}

fn open(dir: &Path) -> Log {
    let settings = Settings {
        segment_bytes: SHORT,
        signing: Some(signing(dir, "a.key", None)),
        ..Settings::default()
    };
    Log::open_with(&dir.join("audit.log"), settings).unwrap()
}

async fn write(log: &Log, records: u16) {
    for status in 0..records {
        log.write(outcome(status)).await.unwrap();
    }
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
async fn chain_tree_and_signatures_go_on_from_file_to_file_and_from_start_to_start() {
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
async fn closed_files_are_compressed_and_hold_what_they_held() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(dir.path());
    write(&log, 60).await;
    let before = verified(&path);
    let stop = AtomicBool::new(false);
    drop(log);
    for segment in segment::closed(&path).unwrap() {
        crate::compress::compress(&segment, &stop).unwrap();
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
async fn whatever_step_a_crash_cuts_short_the_next_start_puts_it_in_order_and_nothing_is_lost() {
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
        let begins = segment::begins(&File::open(&path).unwrap())
            .unwrap()
            .unwrap();
        let twin = segment::Segment::of(&path, begins).plain;
        match step {
            0 => std::fs::write(with(&path, NEXT), "{\"seq\":").unwrap(),
            1 => std::fs::write(with(&path, NEXT), std::fs::read(&path).unwrap()).unwrap(),
            2 => {
                std::fs::write(with(&path, NEXT), "{}\n").unwrap();
                std::fs::hard_link(&path, &twin).unwrap();
            }
            3 => std::fs::write(with(&newest.compressed(), ".unfinished"), [0x1f, 0x8b]).unwrap(),
            4 => {
                let (_, mut text) = newest.open().unwrap();
                let mut plain = Vec::new();
                io::Read::read_to_end(&mut text, &mut plain).unwrap();
                crate::compress::compress(&newest, &stop).unwrap();
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
            crate::compress::compress(&segment, &stop).unwrap();
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
                .all(|name| !name.ends_with(NEXT) && !name.ends_with(".unfinished")),
            "{left:?}"
        );
    }
}

#[tokio::test]
async fn an_intent_in_a_closed_file_is_closed_as_unknown_too() {
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
async fn a_folder_that_takes_no_file_only_makes_the_log_longer() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(dir.path());
    std::fs::create_dir_all(with(&path, NEXT).join("in the way")).unwrap();
    write(&log, 40).await;
    assert!(segment::closed(&path).unwrap().is_empty());
    assert_eq!(verified(&path).files.len(), 1);
}

#[tokio::test]
async fn a_log_whose_oldest_files_were_moved_away_holds_from_the_anchor_on_and_says_so() {
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
    let Err(VerifyError::Begins(found)) = crate::verify(&path, &Expected::default()) else {
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
        Err(VerifyError::Anchor(_))
    ));
    assert!(crate::prove(&path, crate::Wanted::Seq(anchor.seq + 3), &at(&anchor)).is_ok());
    write(&open(dir.path()), 3).await;
    crate::verify(&path, &at(&anchor)).unwrap();
}

#[tokio::test]
async fn nothing_is_signed_that_contradicts_what_was_signed() {
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
        source.to_string().contains("not what was signed"),
        "{source}"
    );
}
