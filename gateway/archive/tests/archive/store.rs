//! Opening a store: its directory, its lock, leftovers of crashes, reservations.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use gateway_archive::{Error, Leftover, Settings, Store, TransportChoice};
use gateway_core::{Checkpoint, Transport};

use crate::support::{Home, info, intake, mode, open, runtime, tar, write};

fn refusal(directory: impl Into<PathBuf>) -> String {
    match Store::open(Settings::new(directory)) {
        Err(Error::Directory { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn makes_its_directory_private() {
    let home = Home::new();
    home.store().probe().unwrap();
    assert_eq!(mode(&home.directory()), 0o700);
    assert_eq!(mode(&home.directory().join(".incoming")), 0o700);
    assert!(home.is_empty(), "a probe leaves nothing");
}

#[test]
fn refuses_a_directory_open_to_others() {
    let home = Home::new();
    std::fs::create_dir(home.directory()).unwrap();
    for open in [0o750, 0o701, 0o777] {
        std::fs::set_permissions(home.directory(), PermissionsExt::from_mode(open)).unwrap();
        assert!(refusal(home.directory()).contains("others must have no access"));
    }
}

#[test]
fn refuses_a_directory_of_another_user() {
    let home = Home::new();
    std::fs::create_dir(home.directory()).unwrap();
    // Only root can give a directory away; for anyone else, `/` is another's.
    let directory =
        chown(home.directory(), Some(1), None).map_or(PathBuf::from("/"), |()| home.directory());
    assert!(refusal(directory).contains("another user"));
}

#[test]
fn refuses_a_symlink_with_or_without_a_slash() {
    let home = Home::new();
    home.store();
    let link = home.directory().with_extension("link");
    symlink(home.directory(), &link).unwrap();
    assert!(refusal(&link).contains("symlink"));
    assert!(refusal(link.join("")).contains("symlink"));
    std::fs::write(link.with_extension("file"), "").unwrap();
    assert!(refusal(link.with_extension("file")).contains("not a folder"));
}

#[test]
fn refuses_paths_that_are_relative_or_not_plain() {
    assert!(refusal(OsStr::from_bytes(b"/tmp/\xff")).contains("UTF-8"));
    assert!(refusal("checkpoints").contains("absolute"));
    assert!(refusal("/tmp/../checkpoints").contains(".."));
}

#[test]
fn refuses_a_second_gateway() {
    let home = Home::new();
    let store = home.store();
    let clone = store.clone();
    let locked = |settings| matches!(Store::open(settings), Err(Error::Locked { .. }));
    assert!(locked(home.settings()));
    drop(store);
    assert!(locked(home.settings()));
    drop(clone);
    home.store();
}

#[tokio::test]
async fn removes_leftovers_of_a_crash_and_nothing_else() {
    let home = Home::new();
    let store = home.store();
    let kept = intake(&store, 1, Transport::Fifo).await;
    write(kept.location(), tar(9_000), 600).join().unwrap();
    let kept = kept.publish(info(1)).await.unwrap();
    drop(store);

    let crashed = home.directory().join(".incoming/crashed");
    std::fs::create_dir(&crashed).unwrap();
    std::fs::write(crashed.join("archive.tar"), [0; 700]).unwrap();
    symlink(&kept.path, crashed.join("link")).unwrap();
    let orphan = home.directory().join("checkpoint-gone.tar.json");
    let metadata = serde_json::to_vec(&Checkpoint {
        path: "/x/checkpoint-gone.tar".into(),
        ..kept.clone()
    })
    .unwrap();
    std::fs::write(&orphan, &metadata).unwrap();
    let not_ours = [
        "checkpoint-kubelet.tar",
        "checkpoint-x.tar.json",
        "checkpoint-y.tar.json",
        "notes",
    ];
    for name in not_ours {
        std::fs::write(home.directory().join(name), "{}").unwrap();
    }
    std::fs::write(home.directory().join(not_ours[2]), &metadata).unwrap();

    let (_store, cleaned) = Store::open(home.settings()).unwrap();
    let reported: Vec<_> = cleaned
        .iter()
        .map(|c| (c.path.as_path(), c.bytes, c.kind))
        .collect();
    assert_eq!(
        reported,
        [
            (crashed.as_path(), 700, Leftover::Incoming),
            (orphan.as_path(), metadata.len() as u64, Leftover::Metadata),
        ]
    );
    assert!(home.incoming().is_empty());
    let name = kept.path.file_name().unwrap().to_str().unwrap();
    let mut left = vec![name.to_owned(), format!("{name}.json")];
    left.extend(not_ours.map(str::to_owned));
    left.sort();
    assert_eq!(home.published(), left);
    assert!(std::fs::read(&kept.path).unwrap() == tar(9_000));
}

#[tokio::test]
async fn a_reservation_ends_with_its_archive() {
    let home = Home::new();
    let (store, _) = Store::open(home.impatient()).unwrap();
    // More than half of the free space, so that two never fit.
    let most = free(&store) / 3 * 2;
    for number in 0..4 {
        let reserved = store.reserve(&info(0).target, Some(most)).unwrap();
        let refused = store.reserve(&info(0).target, Some(most)).unwrap_err();
        assert!(matches!(refused, Error::NoSpace { .. }), "{refused}");
        let intake = store
            .intake(reserved, info(number).id, Transport::Fifo, None)
            .await
            .unwrap();
        assert!(store.reserve(&info(0).target, Some(most)).is_err());
        match number {
            0 => drop(intake.discard().await),
            1 => drop(intake.publish(info(number)).await.unwrap_err()),
            2 => {
                open(intake.location()).write_all(&tar(9_000)).unwrap();
                intake.publish(info(number)).await.unwrap();
            }
            _ => {
                let mut writer = open(intake.location());
                writer.write_all(&tar(1000)).unwrap();
                intake.publish(info(number)).await.unwrap_err();
            }
        }
    }
    store.reserve(&info(0).target, Some(most)).unwrap();
}

#[test]
fn never_reserves_space_below_the_floor() {
    let home = Home::new();
    let (store, _) = Store::open(Settings {
        min_free_bytes: u64::MAX,
        ..home.settings()
    })
    .unwrap();
    for estimate in [None, Some(0), Some(u64::MAX)] {
        let refused = store.reserve(&info(0).target, estimate).unwrap_err();
        assert!(
            matches!(
                refused,
                Error::NoSpace {
                    floor: u64::MAX,
                    ..
                }
            ),
            "{refused}"
        );
    }
}

#[test]
fn only_auto_remembers_a_refused_fifo() {
    let home = Home::new();
    for (choice, name, before, after) in [
        (
            TransportChoice::Auto,
            "containerd",
            Transport::Fifo,
            Transport::File,
        ),
        (
            TransportChoice::Auto,
            "cri-o",
            Transport::Spool,
            Transport::File,
        ),
        (
            TransportChoice::Fifo,
            "cri-o",
            Transport::Fifo,
            Transport::Fifo,
        ),
        (
            TransportChoice::Spool,
            "containerd",
            Transport::Spool,
            Transport::Spool,
        ),
        (
            TransportChoice::File,
            "cri-o",
            Transport::File,
            Transport::File,
        ),
    ] {
        let runtime = runtime(name);
        let (store, _) = Store::open(Settings {
            transport: choice,
            ..home.settings()
        })
        .unwrap();
        assert_eq!(store.transport(&runtime), before);
        store.remember_refusal();
        assert_eq!(store.transport(&runtime), after);
    }
}

#[test]
fn a_replaced_directory_fails_the_probe() {
    let home = Home::new();
    let store = home.store();
    std::fs::rename(home.directory(), home.directory().with_extension("old")).unwrap();
    assert!(matches!(store.probe(), Err(Error::Io { .. })));
    std::fs::create_dir(home.directory()).unwrap();
    assert!(matches!(store.probe(), Err(Error::Directory { .. })));
}

#[test]
fn errors_give_the_path_and_the_cause() {
    let error = Store::open(Settings::new("/nowhere/checkpoints")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot make the folder `/nowhere/checkpoints`"
    );
    let cause = std::error::Error::source(&error).unwrap();
    assert!(
        cause.to_string().starts_with("No such file or directory"),
        "{cause}"
    );
    assert!(!Path::new("/nowhere").exists());
}

fn free(store: &Store) -> u64 {
    match store.reserve(&info(0).target, Some(u64::MAX)) {
        Err(Error::NoSpace { free, .. }) => free,
        other => panic!("{other:?}"),
    }
}
