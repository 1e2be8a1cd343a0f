//! A container's description: masked in the metadata, whole in a file of its own, and gone with the checkpoint.

use std::path::PathBuf;
use std::time::Duration;

use gateway_archive::{CheckpointInfo, Error, Leftover, Quota, Settings, Store};
use gateway_core::{Checkpoint, Transport};
use gateway_redact::{Redaction, TextMasker};

use crate::plans::hide_variables;
use crate::specimen::{Runtime, Specimen};
use crate::support::{Home, info, intake, mode, redacting, tar, write};

const SECRET: &str = "a-secret-of-some-length";

/// Information about a checkpoint whose container has secrets in its texts.
fn telling() -> CheckpointInfo {
    let mut info = info(1);
    let labels = [("key", SECRET), ("plain", "shown")];
    info.container.labels = labels
        .map(|(key, text)| (key.to_owned(), text.to_owned()))
        .into();
    info.reason = Some(format!("because of {SECRET}"));
    info
}

/// A checkpoint of a container whose archive teaches the secret.
async fn publish(store: &Store) -> (Checkpoint, CheckpointInfo) {
    let redaction = Redaction {
        plan: hide_variables("*"),
        ..Redaction::default()
    };
    let intake = redacting(store, 1, Transport::Fifo, redaction).await;
    let info = telling();
    info.texts.join(intake.texts().unwrap());
    let archive = Specimen::new(vec![format!("KEY={SECRET}")]).archive(Runtime::Containerd);
    write(intake.location(), archive, 40_000).join().unwrap();
    (intake.publish(info.clone()).await.unwrap(), info)
}

fn facts(checkpoint: &Checkpoint) -> PathBuf {
    format!("{}.facts", checkpoint.path.display()).into()
}

#[tokio::test]
async fn masks_what_the_archive_taught_and_keeps_it_apart() {
    let home = Home::new();
    let store = home.store();
    let (checkpoint, info) = publish(&store).await;
    assert_eq!(checkpoint.masked, ["labels[key]", "reason"]);
    let metadata = std::fs::read_to_string(format!("{}.json", checkpoint.path.display())).unwrap();
    assert!(
        !metadata.contains(SECRET) && metadata.contains("shown"),
        "{metadata}"
    );
    assert_eq!(mode(&facts(&checkpoint)), 0o600);
    drop(store);
    let store = home.store();
    let found = store.find(checkpoint.id).unwrap().unwrap();
    assert_eq!(store.container(&found).unwrap(), Some(info.container));
}

#[tokio::test]
async fn keeps_no_second_description_where_nothing_is_masked() {
    let home = Home::new();
    let store = home.store();
    let intake = intake(&store, 1, Transport::Fifo).await;
    write(intake.location(), tar(9_000), 600).join().unwrap();
    let checkpoint = intake.publish(telling()).await.unwrap();
    assert_eq!(checkpoint.masked, Vec::<String>::new());
    assert_eq!(home.published().len(), 2);
    let container = store.container(&checkpoint).unwrap();
    assert_eq!(container, Some(checkpoint.facts));
}

#[tokio::test]
async fn decides_nothing_without_a_kept_description() {
    let home = Home::new();
    let store = home.store();
    let (checkpoint, _) = publish(&store).await;
    let file = facts(&checkpoint);
    let text = std::fs::read_to_string(&file).unwrap();
    for damage in [
        "",
        "{}",
        &text.replace(
            &checkpoint.id.to_string(),
            "01890a5d-ac96-774b-bcce-b302099a8057",
        ),
    ] {
        std::fs::write(&file, damage).unwrap();
        let refused = store.container(&checkpoint);
        assert!(matches!(refused, Err(Error::Altered { .. })), "{damage}");
    }
    std::fs::remove_file(&file).unwrap();
    let refused = store.container(&checkpoint);
    assert!(matches!(refused, Err(Error::Altered { .. })));
    store.delete(checkpoint.id).unwrap();
    assert_eq!(store.container(&checkpoint).unwrap(), None);
}

#[tokio::test]
async fn removes_the_description_with_the_checkpoint() {
    let home = Home::new();
    let settings = Settings {
        quota: Quota {
            max_age: Some(Duration::from_mins(1)),
            ..Quota::default()
        },
        ..home.settings()
    };
    let (store, _) = Store::open(settings).unwrap();
    let (checkpoint, _) = publish(&store).await;
    store.delete(checkpoint.id).unwrap();
    assert!(home.is_empty(), "{:?}", home.published());
    let (checkpoint, _) = publish(&store).await;
    assert!(facts(&checkpoint).exists());
    assert_eq!(store.retain(jiff::Timestamp::MAX).unwrap().len(), 1);
    assert!(home.is_empty(), "{:?}", home.published());
}

#[tokio::test]
async fn leaves_no_description_after_a_failed_capture_or_a_crash() {
    let home = Home::new();
    let store = home.store();
    let redaction = Redaction {
        plan: hide_variables("*"),
        ..Redaction::default()
    };
    let intake = redacting(&store, 1, Transport::Fifo, redaction).await;
    let info = CheckpointInfo {
        texts: TextMasker::default(),
        ..telling()
    };
    write(intake.location(), tar(600), 600).join().unwrap();
    assert!(intake.publish(info).await.is_err(), "it is no archive");
    assert!(home.is_empty());
    let (checkpoint, _) = publish(&store).await;
    drop(store);
    std::fs::remove_file(&checkpoint.path).unwrap();
    let (_, cleaned) = Store::open(home.settings()).unwrap();
    let kinds: Vec<_> = cleaned.iter().map(|left| left.kind).collect();
    assert_eq!(kinds, [Leftover::Facts, Leftover::Metadata]);
    assert!(home.is_empty());
}
