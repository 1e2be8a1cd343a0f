//! Archives that the runtime writes as files of its own.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use gateway_archive::{Error, Settings, Store};
use gateway_core::Transport::File;

use crate::support::{Home, check, info, intake, open, tar, write};

#[tokio::test]
async fn publishes_a_runtimes_own_file_unchanged() {
    let home = Home::new();
    let intake = intake(&home.store(), 1, File).await;
    assert!(
        !intake.location().exists(),
        "a runtime keeps an existing file's mode and tail"
    );
    write(intake.location(), tar(3_000_000), 32 << 10)
        .join()
        .unwrap();
    std::fs::set_permissions(intake.location(), PermissionsExt::from_mode(0o666)).unwrap();
    let checkpoint = intake.publish(info(1)).await.unwrap();
    check(&checkpoint, &tar(3_000_000));
    assert_eq!(checkpoint.transport, File);
    assert!(home.incoming().is_empty());
}

#[tokio::test]
async fn discarding_removes_the_file() {
    let home = Home::new();
    let store = home.store();
    let written = intake(&store, 1, File).await;
    open(written.location()).write_all(&tar(1000)).unwrap();
    assert_eq!(written.discard().await, 1000);
    assert_eq!(intake(&store, 1, File).await.discard().await, 0);
    assert!(home.is_empty());
}

#[tokio::test]
async fn never_publishes_a_missing_empty_or_foreign_file() {
    let home = Home::new();
    let store = home.store();
    let missing = intake(&store, 1, File).await;
    assert!(matches!(missing.publish(info(1)).await, Err(Error::Empty)));
    let empty = intake(&store, 2, File).await;
    drop(open(empty.location()));
    assert!(matches!(empty.publish(info(2)).await, Err(Error::Empty)));
    let other = intake(&store, 3, File).await;
    open(other.location()).write_all(&[7; 10_000]).unwrap();
    assert!(matches!(other.publish(info(3)).await, Err(Error::NotATar)));
    assert!(home.is_empty());
}

#[tokio::test]
async fn never_follows_or_publishes_a_link() {
    let home = Home::new();
    let store = home.store();
    let outside = home.directory().join("elsewhere");
    std::fs::write(&outside, tar(1000)).unwrap();
    for number in 0..3 {
        let intake = intake(&store, number, File).await;
        match number {
            0 => symlink(&outside, intake.location()).unwrap(),
            1 => std::fs::hard_link(&outside, intake.location()).unwrap(),
            _ => std::fs::create_dir(intake.location()).unwrap(),
        }
        let error = intake.publish(info(number)).await.unwrap_err();
        assert!(matches!(error, Error::NotAFile { .. }), "{error}");
    }
    assert_eq!(std::fs::read(&outside).unwrap(), tar(1000));
    assert_eq!(home.published(), ["elsewhere"]);
    assert!(home.incoming().is_empty());
}

#[tokio::test]
async fn limits_files_too() {
    let home = Home::new();
    let (store, _) = Store::open(Settings {
        max_bytes: Some(999),
        ..home.settings()
    })
    .unwrap();
    let intake = intake(&store, 1, File).await;
    open(intake.location()).write_all(&tar(1000)).unwrap();
    assert!(matches!(
        intake.publish(info(1)).await,
        Err(Error::TooLarge { max: 999 })
    ));
    assert!(home.is_empty());
}
