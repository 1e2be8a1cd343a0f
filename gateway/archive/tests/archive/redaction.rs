//! Redaction on the way into the store.

use std::io::Write;
use std::time::Duration;

use gateway_archive::{Error, KeepOriginal, Settings, Step, StepFile, Store};
use gateway_core::{DropRule, Plan, Transport};
use gateway_redact::{EnvValue, Error as RedactError, Redaction};

use crate::plans::{hide_variables, redact};
use crate::specimen::{Runtime, Specimen, gunzip, laid_open, read_tar};
use crate::support::{Home, check, id, info, names, open, redacting, write};

const SECRET: &str = "a-secret-of-some-length";

fn specimen() -> Vec<u8> {
    let mut specimen = Specimen::new(vec![format!("KEY={SECRET}"), "PIN=1".to_owned()]);
    specimen.log.extend(SECRET.as_bytes());
    specimen.processes[0].heap[5000..5000 + SECRET.len()].copy_from_slice(SECRET.as_bytes());
    specimen.archive(Runtime::Containerd)
}

/// Takes one pass if the value is known before, else two.
fn redaction(known: bool) -> Redaction {
    let value = || EnvValue {
        name: "KEY".to_owned(),
        value: SECRET.into(),
    };
    Redaction {
        plan: hide_variables("*"),
        values: known.then(value).into_iter().collect(),
        ..Redaction::default()
    }
}

#[tokio::test]
async fn publishes_the_redacted_archive_with_its_own_digest() {
    let home = Home::new();
    let store = home.store();
    let archive = specimen();
    let mut number = 0;
    for transport in [Transport::Fifo, Transport::Spool, Transport::File] {
        for (known, passes) in [(true, 1), (false, 2)] {
            number += 1;
            let intake = redacting(&store, number, transport, redaction(known)).await;
            write(intake.location(), archive.clone(), 40_000)
                .join()
                .unwrap();
            let checkpoint = intake.publish(info(number)).await.unwrap();
            let (expected, summary) = redact(redaction(known), &archive).unwrap();
            assert!(
                !expected
                    .windows(SECRET.len())
                    .any(|window| window == SECRET.as_bytes())
            );
            check(&checkpoint, &expected);
            assert_eq!(checkpoint.redaction.as_ref(), Some(&summary));
            assert_eq!((summary.passes, checkpoint.transport), (passes, transport));
            assert!(home.incoming().is_empty());
        }
    }
}

#[tokio::test]
async fn publishes_a_tmpfs_of_another_compressed_length() {
    const NAME: &str = "checkpoint/tmpfs-dev-64.tar.gz.img";
    let home = Home::new();
    let store = home.store();
    let mut specimen = Specimen::new(vec![format!("KEY={SECRET}")]);
    specimen.tmpfs.push(("./key".to_owned(), SECRET.into()));
    let archive = specimen.archive(Runtime::Containerd);
    let intake = redacting(&store, 1, Transport::Fifo, redaction(false)).await;
    write(intake.location(), archive.clone(), 40_000)
        .join()
        .unwrap();
    let checkpoint = intake.publish(info(1)).await.unwrap();
    let published = std::fs::read(&checkpoint.path).unwrap();
    let tmpfs = |archive: &[u8]| {
        let members = read_tar(archive);
        let found = members.into_iter().find(|(name, _)| name == NAME);
        found.unwrap().1
    };
    let (before, after) = (tmpfs(&archive), tmpfs(&published));
    assert_ne!(before.len(), after.len());
    let lengths = |tmpfs: &[u8]| -> Vec<_> {
        let files = read_tar(&gunzip(tmpfs)).into_iter();
        files.map(|(name, bytes)| (name, bytes.len())).collect()
    };
    assert_eq!(lengths(&before), lengths(&after));
    let open = laid_open(&published);
    let mut windows = open.windows(SECRET.len());
    assert!(!windows.any(|window| window == SECRET.as_bytes()));
}

#[tokio::test]
async fn redacts_a_file_in_the_fifos_place() {
    let home = Home::new();
    let store = home.store();
    let archive = specimen();
    for (number, transport) in [(1, Transport::Fifo), (2, Transport::Spool)] {
        let intake = redacting(&store, number, transport, redaction(true)).await;
        std::fs::remove_file(intake.location()).unwrap();
        std::fs::write(intake.location(), &archive).unwrap();
        let checkpoint = intake.publish(info(number)).await.unwrap();
        check(&checkpoint, &redact(redaction(true), &archive).unwrap().0);
        assert_eq!(checkpoint.transport, Transport::File);
    }
}

#[tokio::test]
async fn drains_the_writer_after_a_failed_redaction() {
    let home = Home::new();
    let store = home.store();
    let whole = specimen();
    let mut damaged = whole.clone();
    damaged[0] ^= 1;
    let cut = whole[..whole.len() / 2].to_vec();
    for (number, archive) in [damaged, cut].into_iter().enumerate() {
        for transport in [Transport::Fifo, Transport::Spool, Transport::File] {
            let intake = redacting(&store, number as u128, transport, redaction(true)).await;
            write(intake.location(), archive.clone(), 40_000)
                .join()
                .unwrap();
            let refused = intake.publish(info(number as u128)).await.unwrap_err();
            assert!(
                matches!(
                    refused,
                    Error::Redaction(RedactError::BadTar(_) | RedactError::Truncated)
                ),
                "{refused}"
            );
            assert!(home.is_empty());
        }
    }
}

#[tokio::test]
async fn checks_the_bounds_of_the_runtimes_output() {
    let home = Home::new();
    let archive = specimen();
    let max = archive.len() as u64 - 1;
    let (store, _) = Store::open(Settings {
        max_bytes: Some(max),
        ..home.settings()
    })
    .unwrap();
    for transport in [Transport::Fifo, Transport::Spool] {
        let intake = redacting(&store, 1, transport, redaction(true)).await;
        write(intake.location(), archive.clone(), 40_000)
            .join()
            .unwrap();
        assert!(matches!(
            intake.publish(info(1)).await,
            Err(Error::TooLarge { .. })
        ));
        for (number, text) in [(2, vec![b'x'; 3 << 20]), (3, b"no tar".to_vec())] {
            let intake = redacting(&store, number, transport, redaction(true)).await;
            write(intake.location(), text, 40_000).join().unwrap();
            assert!(matches!(
                intake.publish(info(number)).await,
                Err(Error::NotATar)
            ));
        }
        let intake = redacting(&store, 4, transport, redaction(true)).await;
        drop(open(intake.location()));
        assert!(matches!(intake.publish(info(4)).await, Err(Error::Empty)));
        assert!(home.is_empty());
    }
}

#[tokio::test]
async fn gives_a_silent_writer_up() {
    let home = Home::new();
    let (store, _) = Store::open(home.impatient()).unwrap();
    for transport in [Transport::Fifo, Transport::Spool] {
        let intake = redacting(&store, 1, transport, redaction(true)).await;
        let mut writer = open(intake.location());
        writer.write_all(&specimen()[..5000]).unwrap();
        assert!(matches!(
            intake.publish(info(1)).await,
            Err(Error::TooSlow { .. })
        ));
        assert!(home.is_empty());
    }
}

#[tokio::test]
async fn discarding_removes_all_and_returns_the_bytes() {
    let home = Home::new();
    let store = home.store();
    let archive = specimen();
    for transport in [Transport::Fifo, Transport::Spool] {
        let intake = redacting(&store, 1, transport, redaction(true)).await;
        write(intake.location(), archive.clone(), 40_000)
            .join()
            .unwrap();
        assert_eq!(intake.discard().await, archive.len() as u64);
        assert!(home.is_empty());
    }
}

#[tokio::test]
async fn a_spooled_archive_never_is_a_file_with_a_name() {
    let home = Home::new();
    let store = home.store();
    let intake = redacting(&store, 1, Transport::Spool, redaction(true)).await;
    write(intake.location(), specimen(), 40_000).join().unwrap();
    // The runtime is done, and all that has a name is its FIFO and the file for the redacted archive.
    let folder = intake.location().parent().unwrap().to_owned();
    assert_eq!(names(&folder), ["archive", "archive.tar"]);
    assert_eq!(folder.join("archive.tar").metadata().unwrap().len(), 0);
    intake.publish(info(1)).await.unwrap();
}

#[tokio::test]
async fn a_spool_reserves_disk_space_of_its_own() {
    let home = Home::new();
    let store = home.store();
    let free = match store.reserve(&info(0).target, Some(u64::MAX)) {
        Err(Error::NoSpace { free, .. }) => free,
        other => panic!("{other:?}"),
    };
    // It fits once, but not twice.
    let reserved = store.reserve(&info(0).target, Some(free / 3 * 2)).unwrap();
    let refused = store.intake(reserved, id(1), Transport::Spool, Some(redaction(true)));
    assert!(matches!(refused.await, Err(Error::NoSpace { .. })));
    assert!(home.is_empty());
    let reserved = store.reserve(&info(0).target, Some(free / 3)).unwrap();
    let intake = store.intake(reserved, id(2), Transport::Spool, Some(redaction(true)));
    assert_eq!(intake.await.unwrap().discard().await, 0);
}

#[tokio::test]
async fn every_step_tells_its_bytes_and_time() {
    let home = Home::new();
    let (store, _) = Store::open(Settings {
        original: KeepOriginal::Plaintext,
        ..home.settings()
    })
    .unwrap();
    let archive = specimen();
    for (number, transport) in [(1, Transport::Fifo), (2, Transport::Spool)] {
        let intake = redacting(&store, number, transport, redaction(true)).await;
        let steps = intake.steps();
        write(intake.location(), archive.clone(), 40_000)
            .join()
            .unwrap();
        let checkpoint = intake.publish(info(number)).await.unwrap();
        let steps = steps.take();
        let bytes = |step: Step, file: StepFile| {
            let mut found = steps
                .iter()
                .filter(|time| (time.step, time.file) == (step, file));
            let time = found
                .next()
                .unwrap_or_else(|| panic!("{step:?} {file:?}: {steps:?}"));
            assert!(
                time.begun <= time.ended && time.busy > Duration::ZERO,
                "{time:?}"
            );
            time.bytes
        };
        let (whole, redacted) = (archive.len() as u64, checkpoint.bytes);
        let first = match transport {
            Transport::Spool => StepFile::Spool,
            _ => StepFile::Archive,
        };
        assert_eq!(bytes(Step::Receive, first), whole);
        assert_eq!(bytes(Step::Redact, StepFile::Archive), whole);
        for step in [
            Step::Hash,
            Step::Write,
            Step::Check,
            Step::Sync,
            Step::Publish,
        ] {
            assert_eq!(bytes(step, StepFile::Archive), redacted, "{step:?}");
        }
        for step in [Step::Hash, Step::Write, Step::Sync] {
            assert_eq!(bytes(step, StepFile::Original), whole, "{step:?}");
        }
        if transport == Transport::Spool {
            assert_eq!(bytes(Step::Seal, StepFile::Spool), whole);
        }
    }
}

#[tokio::test]
async fn an_impossible_plan_gets_no_location() {
    let home = Home::new();
    let store = home.store();
    let drop = vec![DropRule {
        name: "rule".to_owned(),
        entry: "checkpoint/pages-1.img".to_owned(),
    }];
    let redaction = Redaction {
        plan: Plan {
            drop,
            ..Plan::default()
        },
        ..Redaction::default()
    };
    let refused = store
        .intake(
            crate::support::reserved(&store),
            id(1),
            Transport::Fifo,
            Some(redaction),
        )
        .await;
    assert!(matches!(
        refused,
        Err(Error::Redaction(RedactError::CannotDrop { .. }))
    ));
    assert!(home.is_empty());
}
