//! Tests of appending to a log, across starts.

use super::*;
use crate::disk::Disk;

#[tokio::test]
async fn records_are_lines_in_a_private_file() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    for status in [200, 403] {
        Log::open(&path)
            .unwrap()
            .write(outcome(status))
            .await
            .unwrap();
    }
    assert_eq!(lines(&path), [outcome(200), outcome(403)]);
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn removes_an_incomplete_last_line_and_continues() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    for kept in [0, 5, 80, 100] {
        Log::open(&path).unwrap().write(outcome(200)).await.unwrap();
        let before = std::fs::read(&path).unwrap();
        Log::open(&path).unwrap().write(outcome(403)).await.unwrap();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(before.len() as u64 + kept)
            .unwrap();
        let log = Log::open(&path).unwrap();
        assert_eq!(
            (
                log.recovered().truncated_bytes,
                std::fs::read(&path).unwrap()
            ),
            (kept, before)
        );
        log.write(outcome(500)).await.unwrap();
    }
    assert_eq!(verified(&path).records, 8);
}

#[test]
fn refuses_and_keeps_files_that_are_not_logs() {
    let _process = PROCESS.blocking_read();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let old = serde_json::to_string(&outcome(200)).unwrap() + "\n";
    for text in ["precious", "precious\n", &old, &"x".repeat(3 << 20)] {
        std::fs::write(&path, text).unwrap();
        let Err(Error::Open { source, .. }) = Log::open(&path) else {
            panic!("{text}")
        };
        assert!(
            source.to_string().contains("move the file away"),
            "{source}"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn records_an_open_intent_as_unknown_once() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = Log::open(&path).unwrap();
    for id in 1..4 {
        log.write_intent(intent(id)).await.unwrap();
    }
    log.write(Record {
        request_id: uuid::Uuid::from_u128(2).into(),
        ..outcome(200)
    })
    .await
    .unwrap();
    drop(log);
    assert_eq!(
        Log::open(&path).unwrap().recovered(),
        Recovered {
            unknown_outcomes: 2,
            ..Recovered::default()
        }
    );
    assert_eq!(Log::open(&path).unwrap().recovered(), Recovered::default());
    let [.., one, three] = &*lines(&path) else {
        panic!("lost")
    };
    for (id, record) in [(1, one), (3, three)] {
        let Event::Outcome(outcome) = &record.event else {
            panic!("{record:?}")
        };
        assert_eq!(record.request_id, uuid::Uuid::from_u128(id).into());
        assert_eq!(
            (outcome.status, outcome.code.as_deref()),
            (0, Some("unknown"))
        );
        assert_eq!(
            (outcome.user.as_deref(), outcome.hidden.as_slice()),
            (None, [HiddenField::User].as_slice())
        );
    }
    assert_eq!(verified(&path).records, 6);
}

#[tokio::test]
async fn concurrent_writers_make_one_chain() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = Log::open(&path).unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for status in 0..500 {
        let log = log.clone();
        writers.spawn(async move { log.write(outcome(status)).await });
    }
    assert!(writers.join_all().await.iter().all(Result::is_ok));
    assert_eq!(verified(&path).records, 500);
    let mut written: Vec<_> = lines(&path);
    written.sort_by_key(|record| match &record.event {
        Event::Outcome(outcome) => outcome.status,
        _ => panic!("no outcome"),
    });
    assert_eq!(written, (0..500).map(outcome).collect::<Vec<_>>());
}

#[tokio::test]
async fn too_long_record_does_not_affect_others() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = Log::open(&path).unwrap();
    let mut huge = outcome(200);
    if let Event::Outcome(outcome) = &mut huge.event {
        outcome.code = Some("x".repeat(2 << 20));
    }
    let (one, other, third) = tokio::join!(
        log.write(outcome(1)),
        log.write(huge),
        log.write(outcome(2))
    );
    assert!(one.is_ok() && matches!(other, Err(Error::Write { .. })) && third.is_ok());
    assert_eq!(verified(&path).records, 2);
}

/// Writes to `/dev/full` instead of the log.
#[derive(Debug)]
struct FullDisk(File);

impl Disk for FullDisk {
    fn write(&self, _log: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, bytes, offset)
    }

    fn sync(&self, log: &File) -> io::Result<()> {
        log.sync_data()
    }

    fn truncate(&self, log: &File, length: u64) -> io::Result<()> {
        log.set_len(length)
    }
}

#[tokio::test]
async fn reports_enospc_of_the_system() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let log = Log::open_on(Box::new(FullDisk(full)), &path, Settings::default()).unwrap();
    let Err(Error::Write { source, .. }) = log.write(outcome(200)).await else {
        panic!("written")
    };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn refuses_a_log_that_another_gateway_writes() {
    let _process = PROCESS.blocking_read();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let _first = Log::open(&path).unwrap();
    let Err(Error::Open { source, .. }) = Log::open(&path) else {
        panic!("opened twice")
    };
    assert_eq!(source.to_string(), "another gateway writes to it");
}

#[test]
fn refuses_a_symlink() {
    let _process = PROCESS.blocking_read();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    std::os::unix::fs::symlink("/dev/null", &path).unwrap();
    assert!(matches!(Log::open(&path), Err(Error::Open { .. })));
}
