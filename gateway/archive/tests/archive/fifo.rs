//! Archives that come through a FIFO, from well-behaved and other runtimes.

use std::fs::{DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt};

use gateway_archive::{Error, Settings, Store};
use gateway_core::Transport::{self, Fifo};
use rustix::fs::{CWD, Mode};

use crate::support::{Home, check, id, info, intake, mode, open, runtime, tar, write};

#[tokio::test]
async fn publishes_an_archive_with_its_digest() {
    let home = Home::new();
    let store = home.store();
    for (number, (length, size)) in [
        (9_000, 1),
        (3_000_001, 512),
        (9 << 20, 32 << 10),
        (5_000_000, 5_000_000),
    ]
    .into_iter()
    .enumerate()
    {
        let intake = intake(&store, number as u128, Fifo).await;
        let writer = write(intake.location(), tar(length), size);
        let checkpoint = intake.publish(info(number as u128)).await.unwrap();
        writer.join().unwrap();
        check(&checkpoint, &tar(length));
        assert_eq!(checkpoint.transport, Fifo);
    }
    assert_eq!(home.published().len(), 8);
    assert!(home.incoming().is_empty());
}

#[test]
fn a_start_releases_a_runtime_that_still_writes() {
    let home = Home::new();
    drop(home.store());
    let folder = home.directory().join(".incoming").join(id(1).to_string());
    DirBuilder::new().mode(0o700).create(&folder).unwrap();
    let location = folder.join("archive");
    rustix::fs::mkfifoat(CWD, &location, Mode::RWXU).unwrap();
    // More than a pipe holds, by a writer that holds the reading end itself.
    let writer = write(&location, tar(8 << 20), 40_000);
    let (_store, cleaned) = Store::open(home.settings()).unwrap();
    writer.join().unwrap();
    assert_eq!(cleaned.len(), 1);
    assert!(home.incoming().is_empty());
}

#[tokio::test]
async fn the_location_is_a_private_fifo_in_a_private_directory() {
    let home = Home::new();
    let store = home.store();
    let intake = intake(&store, 1, Fifo).await;
    assert!(intake.location().is_absolute());
    assert!(
        intake
            .location()
            .symlink_metadata()
            .unwrap()
            .file_type()
            .is_fifo()
    );
    assert_eq!(mode(intake.location()), 0o600);
    assert_eq!(mode(intake.location().parent().unwrap()), 0o700);
    intake.discard().await;
}

#[tokio::test]
async fn a_runtime_may_open_the_location_more_than_once() {
    let home = Home::new();
    let intake = intake(&home.store(), 1, Fifo).await;
    let data = tar(10_000);
    for part in data.chunks(3_000) {
        drop(open(intake.location()));
        open(intake.location()).write_all(part).unwrap();
    }
    File::options().write(true).open(intake.location()).unwrap();
    check(&intake.publish(info(1)).await.unwrap(), &data);
}

#[tokio::test]
async fn never_overwrites_a_taken_name() {
    let home = Home::new();
    let store = home.store();
    let name = "checkpoint-cart-0_shop-app-2026-11-22T23:51:39.12345679";
    std::fs::write(
        home.directory().join(format!("{name}0Z.tar")),
        "the kubelet's",
    )
    .unwrap();
    for number in 1..=3 {
        let intake = intake(&store, number, Fifo).await;
        write(
            intake.location(),
            tar(9_000 + usize::try_from(number).unwrap()),
            100,
        )
        .join()
        .unwrap();
        let checkpoint = intake.publish(info(number)).await.unwrap();
        check(&checkpoint, &tar(9_000 + usize::try_from(number).unwrap()));
        assert_eq!(checkpoint.created_at, info(number).created_at);
    }
    let expected = [
        "789Z.tar",
        "789Z.tar.json",
        "790Z.tar",
        "791Z.tar",
        "791Z.tar.json",
        "792Z.tar",
        "792Z.tar.json",
    ];
    let stem = name.strip_suffix("79").unwrap();
    assert_eq!(home.published(), expected.map(|end| format!("{stem}{end}")));
    assert_eq!(
        std::fs::read(home.directory().join(format!("{name}0Z.tar"))).unwrap(),
        b"the kubelet's"
    );
}

#[tokio::test]
async fn discarding_removes_all_and_returns_the_bytes() {
    let home = Home::new();
    let store = home.store();
    let silent = intake(&store, 1, Fifo).await;
    assert_eq!(silent.discard().await, 0);
    let partial = intake(&store, 1, Fifo).await;
    let writer = write(partial.location(), tar(3 << 20), 32 << 10);
    let bytes = partial.discard().await;
    writer.join().unwrap();
    assert_eq!(bytes, 3 << 20);
    assert!(home.is_empty());
}

#[tokio::test]
async fn dropping_an_intake_drains_its_writer_and_removes_all() {
    let home = Home::new();
    let store = home.store();
    let intake = intake(&store, 1, Fifo).await;
    let mut writer = open(intake.location());
    drop(intake);
    writer.write_all(&tar(4 << 20)).unwrap();
    drop((writer, store));
    until_unlocked(&home.settings());
    assert!(home.is_empty());
}

#[tokio::test]
async fn rejects_success_without_an_archive() {
    let home = Home::new();
    let intake = intake(&home.store(), 1, Fifo).await;
    drop(open(intake.location()));
    assert!(matches!(intake.publish(info(1)).await, Err(Error::Empty)));
    assert!(home.is_empty());
}

#[tokio::test]
async fn never_publishes_data_that_is_not_a_tar() {
    let home = Home::new();
    let intake = intake(&home.store(), 1, Fifo).await;
    write(intake.location(), vec![0; 100_000], 1000)
        .join()
        .unwrap();
    assert!(matches!(intake.publish(info(1)).await, Err(Error::NotATar)));
    assert!(home.is_empty());
}

#[tokio::test]
async fn drains_and_drops_an_archive_over_the_limit() {
    let home = Home::new();
    let settings = Settings {
        max_bytes: Some(2 << 20),
        ..home.settings()
    };
    let (store, _) = Store::open(settings).unwrap();
    let intake = intake(&store, 1, Fifo).await;
    write(intake.location(), tar(8 << 20), 1 << 20)
        .join()
        .unwrap();
    let error = intake.publish(info(1)).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { max: 0x20_0000 }),
        "{error}"
    );
    assert!(home.is_empty());
}

#[tokio::test]
async fn gives_a_silent_writer_up_without_blocking_it() {
    let home = Home::new();
    let (store, _) = Store::open(home.impatient()).unwrap();
    for number in 0..2 {
        let intake = intake(&store, number, Fifo).await;
        let mut writer = open(intake.location());
        writer.write_all(&tar(1000)).unwrap();
        if number == 0 {
            let error = intake.publish(info(number)).await.unwrap_err();
            assert!(matches!(error, Error::TooSlow { .. }), "{error}");
        } else {
            assert_eq!(intake.discard().await, 1000);
        }
        assert!(home.is_empty());
        // More than any pipe holds: someone still reads.
        writer.write_all(&tar(4 << 20)).unwrap();
    }
}

#[tokio::test]
async fn takes_a_file_in_the_fifos_place_and_remembers_it() {
    let home = Home::new();
    let store = home.store();
    assert_eq!(store.transport(&runtime("containerd")), Fifo);
    let intake = intake(&store, 1, Fifo).await;
    let aside = intake.location().with_extension("new");
    std::fs::write(&aside, tar(9_000)).unwrap();
    std::fs::rename(&aside, intake.location()).unwrap();
    let checkpoint = intake.publish(info(1)).await.unwrap();
    check(&checkpoint, &tar(9_000));
    assert_eq!(checkpoint.transport, Transport::File);
    assert_eq!(store.transport(&runtime("containerd")), Transport::File);
    assert!(home.incoming().is_empty());
}

#[tokio::test]
async fn an_id_is_used_for_one_archive_at_a_time() {
    let home = Home::new();
    let store = home.store();
    let first = intake(&store, 1, Fifo).await;
    let second = store
        .intake(crate::support::reserved(&store), id(1), Fifo, None)
        .await;
    assert!(matches!(second, Err(Error::Io { .. })));
    write(first.location(), tar(9_000), 600).join().unwrap();
    check(&first.publish(info(1)).await.unwrap(), &tar(9_000));
}

#[tokio::test]
async fn takes_archives_in_concurrently() {
    let home = Home::new();
    let store = home.store();
    let first = intake(&store, 1, Fifo).await;
    let second = intake(&store, 2, Fifo).await;
    let writers = [(&first, 2 << 20), (&second, 3 << 20)]
        .map(|(intake, size)| write(intake.location(), tar(size), 7777));
    let (first, second) = tokio::join!(first.publish(info(1)), second.publish(info(2)));
    for writer in writers {
        writer.join().unwrap();
    }
    check(&first.unwrap(), &tar(2 << 20));
    check(&second.unwrap(), &tar(3 << 20));
}

/// Waits for background work, which holds the store's lock until it has removed all its files.
fn until_unlocked(settings: &Settings) {
    let lock = File::open(settings.directory.join(".lock")).unwrap();
    lock.lock().unwrap();
}
