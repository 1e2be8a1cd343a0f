use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use gateway_archive::{Error, Settings, Store};
use gateway_core::Transport::File;

use crate::support::{Home, about, check, intake, open, tar, write};

#[tokio::test]
async fn a_runtimes_own_file_is_published_as_it_is() {
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
    let checkpoint = intake.publish(about(1)).await.unwrap();
    check(&checkpoint, &tar(3_000_000));
    assert_eq!(checkpoint.transport, File);
    assert!(home.incoming().is_empty());
}

#[tokio::test]
async fn a_discarded_file_leaves_no_trace() {
    let home = Home::new();
    let store = home.store();
    let written = intake(&store, 1, File).await;
    open(written.location()).write_all(&tar(1000)).unwrap();
    assert_eq!(written.discard().await, 1000);
    assert_eq!(intake(&store, 1, File).await.discard().await, 0);
    assert!(home.is_empty());
}

#[tokio::test]
async fn a_file_that_is_missing_empty_or_no_tar_is_never_published() {
    let home = Home::new();
    let store = home.store();
    let missing = intake(&store, 1, File).await;
    assert!(matches!(missing.publish(about(1)).await, Err(Error::Empty)));
    let empty = intake(&store, 2, File).await;
    drop(open(empty.location()));
    assert!(matches!(empty.publish(about(2)).await, Err(Error::Empty)));
    let other = intake(&store, 3, File).await;
    open(other.location()).write_all(&[7; 10_000]).unwrap();
    assert!(matches!(other.publish(about(3)).await, Err(Error::NotATar)));
    assert!(home.is_empty());
}

#[tokio::test]
async fn a_link_is_never_followed_and_never_published() {
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
        let error = intake.publish(about(number)).await.unwrap_err();
        assert!(matches!(error, Error::NotAFile { .. }), "{error}");
    }
    assert_eq!(std::fs::read(&outside).unwrap(), tar(1000));
    assert_eq!(home.published(), ["elsewhere"]);
    assert!(home.incoming().is_empty());
}

#[tokio::test]
async fn the_limit_holds_for_files_too() {
    let home = Home::new();
    let (store, _) = Store::open(Settings {
        max_bytes: Some(999),
        ..home.settings()
    })
    .unwrap();
    let intake = intake(&store, 1, File).await;
    open(intake.location()).write_all(&tar(1000)).unwrap();
    assert!(matches!(
        intake.publish(about(1)).await,
        Err(Error::TooLarge { max: 999 })
    ));
    assert!(home.is_empty());
}
