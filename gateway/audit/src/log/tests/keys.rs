//! Tests of changes and removals of the signing key.

use super::faulty::open_faulty;
use super::*;
use crate::{Expected, Trust, verify};

fn open(dir: &Path, key: Option<&str>) -> Log {
    let signing = key.map(|name| signing(dir, name, None));
    Log::open_with(
        &dir.join("audit.log"),
        Settings {
            signing,
            ..Settings::default()
        },
    )
    .unwrap()
}

/// That this key is trusted, and no other.
fn given(dir: &Path, name: &str) -> Expected {
    Expected {
        keys: vec![signing(dir, name, None).key.public().clone()],
        ..Expected::default()
    }
}

fn events(path: &Path) -> Vec<&'static str> {
    lines(path)
        .iter()
        .map(|record| record.event.as_str())
        .filter(|event| *event != "outcome")
        .collect()
}

#[tokio::test]
async fn previous_key_vouches_for_the_next_at_a_start() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let start = |name, previous| {
        let settings = Settings {
            signing: Some(signing(dir.path(), name, previous)),
            ..Settings::default()
        };
        Log::open_with(&path, settings)
    };
    for (name, previous) in [
        ("a.key", None),
        ("b.key", Some("a.key")),
        ("b.key", Some("a.key")),
        ("c.key", None),
    ] {
        let log = start(name, previous).unwrap();
        log.write(outcome(200)).await.unwrap();
        log.sign_head().await.unwrap();
    }
    let given = |name| given(dir.path(), name);
    let found = verified(&path);
    assert_eq!((found.records, &*found.unproven), (11, &[8][..]));
    assert!(
        verify(&path, &given("a.key")).is_err(),
        "nobody vouches for the last one"
    );
    assert!(verify(&path, &given("c.key")).is_ok());
    assert!(
        matches!(start("a.key", Some("b.key")), Err(Error::Open { .. })),
        "that is not the one before"
    );
}

#[tokio::test]
async fn changes_the_key_while_running() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(dir.path(), Some("a.key"));
    write(&log, 3).await;
    let next = || Some(signing(dir.path(), "b.key", None));
    assert!(log.change_key(next()).await.unwrap());
    assert!(!log.change_key(next()).await.unwrap(), "it is the same key");
    write(&log, 3).await;
    log.sign_head().await.unwrap();
    assert_eq!(events(&path), ["key", "head", "key", "head"]);
    let found = verify(&path, &given(dir.path(), "a.key")).unwrap();
    assert_eq!(
        (found.trust, found.unproven.len(), found.keyless),
        (Trust::Given, 0, None)
    );
    drop(log);
    open(dir.path(), Some("b.key"));
    assert_eq!(events(&path).len(), 4, "a start with it changes nothing");
}

#[tokio::test]
async fn concurrent_key_changes_keep_the_log_trusted() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(dir.path(), Some("a.key"));
    let mut writers = tokio::task::JoinSet::new();
    for status in 0..200 {
        let (log, dir) = (log.clone(), dir.path().to_owned());
        writers.spawn(async move {
            if status % 10 == 0 {
                let name = if status % 20 == 0 { "b.key" } else { "a.key" };
                log.change_key(Some(signing(&dir, name, None)))
                    .await
                    .unwrap();
            }
            log.write(outcome(status)).await.unwrap();
        });
    }
    writers.join_all().await;
    log.sign_head().await.unwrap();
    let found = verify(&path, &given(dir.path(), "a.key")).unwrap();
    assert_eq!(
        (found.trust, found.unproven.len()),
        (Trust::Given, 0),
        "{found:?}"
    );
    assert!(
        events(&path)
            .iter()
            .filter(|event| **event == "key")
            .count()
            > 2
    );
}

#[tokio::test]
async fn signs_nothing_after_the_key_is_removed() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(dir.path(), Some("a.key"));
    write(&log, 3).await;
    assert!(log.change_key(None).await.unwrap());
    assert!(!log.change_key(None).await.unwrap());
    write(&log, 20).await;
    log.sign_head().await.unwrap();
    assert_eq!(events(&path), ["key", "head", "key-removed"]);
    let found = verify(&path, &given(dir.path(), "a.key")).unwrap();
    assert_eq!(
        (found.trust, found.keyless, &*found.unproven),
        (Trust::Given, Some(5), &[][..])
    );
    assert_eq!(found.signed.unwrap().head.size, 4);
    drop(log);
    let log = open(dir.path(), None);
    assert!(
        log.change_key(Some(signing(dir.path(), "a.key", None)))
            .await
            .unwrap(),
        "and comes back"
    );
    log.sign_head().await.unwrap();
    assert_eq!(events(&path), ["key", "head", "key-removed", "key", "head"]);
    let found = verify(&path, &given(dir.path(), "a.key")).unwrap();
    assert_eq!(
        (found.keyless, &*found.unproven),
        (None, &[26][..]),
        "the one that is gone cannot vouch for it"
    );
}

#[tokio::test]
async fn start_without_key_is_recorded_once_and_unproven() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = open(dir.path(), Some("a.key"));
    write(&log, 1).await;
    log.sign_head().await.unwrap();
    drop(log);
    open(dir.path(), None);
    open(dir.path(), None);
    assert_eq!(events(&path), ["key", "head", "key-removed"]);
    let found = verify(&path, &given(dir.path(), "a.key")).unwrap();
    assert_eq!((found.keyless, &*found.unproven), (Some(3), &[3][..]));
}

#[tokio::test]
async fn unsigned_log_continues_across_files() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let signing = Some(signing(dir.path(), "a.key", None));
    let log = Log::open_with(
        &path,
        Settings {
            segment_bytes: 2000,
            signing,
            ..Settings::default()
        },
    )
    .unwrap();
    write(&log, 10).await;
    log.change_key(None).await.unwrap();
    write(&log, 40).await;
    drop(log);
    let log = Log::open_with(
        &path,
        Settings {
            segment_bytes: 2000,
            ..Settings::default()
        },
    )
    .unwrap();
    write(&log, 1).await;
    let found = verify(&path, &given(dir.path(), "a.key")).unwrap();
    assert!(
        found.files.len() > 3 && found.keyless.is_some() && found.unproven.is_empty(),
        "{found:?}"
    );
}

#[tokio::test]
async fn failed_key_change_keeps_the_old_key() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let settings = Settings {
        signing: Some(signing(dir.path(), "a.key", None)),
        ..Settings::default()
    };
    let (log, faults) = open_faulty(&path, settings);
    write(&log, 2).await;
    faults.full.store(true, Ordering::Relaxed);
    let next = || Some(signing(dir.path(), "b.key", None));
    assert!(matches!(
        log.change_key(next()).await,
        Err(Error::Write { .. })
    ));
    assert!(matches!(
        log.change_key(None).await,
        Err(Error::Write { .. })
    ));
    faults.full.store(false, Ordering::Relaxed);
    write(&log, 2).await;
    log.sign_head().await.unwrap();
    assert_eq!(events(&path), ["key", "head"]);
    assert!(log.change_key(next()).await.unwrap());
    assert_eq!(events(&path), ["key", "head", "key"]);
    assert!(verify(&path, &given(dir.path(), "a.key")).is_ok());
}
