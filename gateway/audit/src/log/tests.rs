use std::fs::File;
use std::os::unix::fs::MetadataExt;

use gateway_core::{HiddenField, Outcome};

use super::*;

/// A child has a copy of every descriptor until it becomes another program, and with it of a lock: who starts one runs alone.
static PROCESS: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());

fn outcome(status: u16) -> Record {
    Record {
        schema: Record::SCHEMA,
        at: jiff::Timestamp::UNIX_EPOCH,
        request_id: uuid::Uuid::nil().into(),
        trace_id: None,
        event: Event::Outcome(Box::new(Outcome {
            source_address: Some([127, 0, 0, 1].into()),
            status,
            bytes: None,
            ..Outcome::default()
        })),
    }
}

fn intent(id: u128) -> Record {
    let event = Event::Intent {
        action: gateway_core::Action::Create,
        user: None,
        groups: Vec::new(),
        credential: gateway_core::CredentialKind::BearerToken,
        issuer: "https://issuer.example".to_owned(),
        source_address: None,
        reason: None,
        target: "shop/cart-0/app".parse().unwrap(),
        container_id: "c0ffee".to_owned(),
        verdicts: Vec::new(),
        plan: gateway_core::PlanRecord {
            hide: vec![HiddenField::User],
            ..Default::default()
        },
        checkpoint_id: uuid::Uuid::from_u128(id).into(),
        request: None,
    };
    Record {
        request_id: uuid::Uuid::from_u128(id).into(),
        event,
        ..outcome(0)
    }
}

fn lines(path: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn verified(path: &Path) -> crate::Verified {
    crate::verify(path, &crate::Expected::default()).unwrap()
}

fn kind(result: Result<(), Error>) -> io::ErrorKind {
    let Err(Error::Write { source, .. }) = result else {
        panic!("{result:?}")
    };
    source.kind()
}

#[tokio::test]
async fn records_are_lines_in_a_private_file_and_survive_reopening() {
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
async fn a_line_that_a_crash_cut_short_is_removed_and_the_chain_goes_on() {
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
fn what_is_no_chained_log_is_neither_continued_nor_cut() {
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
async fn an_intent_that_a_crash_left_open_is_closed_as_unknown_once() {
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
async fn many_writers_at_once_make_one_chain() {
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
async fn a_record_that_makes_no_line_spoils_no_other() {
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

#[tokio::test]
async fn a_log_that_cannot_take_a_record_refuses_it() {
    let _process = PROCESS.read().await;
    let file = File::options().write(true).open("/dev/full").unwrap();
    let path = Path::new("/dev/full");
    let log = Log::of(
        path,
        Tail::of(path, Box::new(file), Settings::default()),
        Recovered::default(),
    );
    let Err(Error::Write { source, .. }) = log.write(outcome(200)).await else {
        panic!("written")
    };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn two_gateways_never_share_a_log() {
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
fn a_symlink_is_no_log() {
    let _process = PROCESS.blocking_read();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    std::os::unix::fs::symlink("/dev/null", &path).unwrap();
    assert!(matches!(Log::open(&path), Err(Error::Open { .. })));
}

mod clock;
mod faulty;
mod full;
mod keys;
mod killed;
mod observer;
mod segments;
