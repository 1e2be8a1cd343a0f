//! Durable and private files through the public interface: modes, taken names, symlinks, leftovers of crashes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use gateway_files::{Error, NewFile, PrivateFolder, Refusal};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn writes_a_private_file_once() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("key");
    gateway_files::write_new(&path, b"first").unwrap();
    assert_eq!(mode(&path), 0o600);
    let error = gateway_files::write_new(&path, b"second").unwrap_err();
    assert!(matches!(&error, Error::Exists { path: taken } if *taken == path));
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(names(home.path()), ["key"]);
}

#[test]
fn replaces_a_file_whole_and_private() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    fs::write(&path, "old").unwrap();
    set_mode(&path, 0o644);
    gateway_files::replace(&path, b"new").unwrap();
    assert_eq!(
        (fs::read(&path).unwrap(), mode(&path)),
        (b"new".to_vec(), 0o600)
    );
    assert_eq!(names(home.path()), ["state"]);
}

#[test]
fn follows_no_symlink_in_the_way() {
    let home = tempfile::tempdir().unwrap();
    let (path, target) = (home.path().join("link"), home.path().join("target"));
    fs::write(&target, "untouched").unwrap();
    symlink(&target, &path).unwrap();
    let taken = gateway_files::write_new(&path, b"new");
    assert!(matches!(taken, Err(Error::Exists { .. })));
    gateway_files::replace(&path, b"new").unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(fs::read(&target).unwrap(), b"untouched");

    symlink(home.path().join("nowhere"), home.path().join("dangling")).unwrap();
    let taken = gateway_files::write_new(&home.path().join("dangling"), b"new");
    assert!(matches!(taken, Err(Error::Exists { .. })));
    assert!(!home.path().join("nowhere").exists());
}

#[test]
fn leaves_nothing_of_an_unfinished_file() {
    let home = tempfile::tempdir().unwrap();
    let mut file = NewFile::create(&home.path().join("out")).unwrap();
    file.write_all(b"half").unwrap();
    assert!(names(home.path()).is_empty());
    drop(file);
    assert!(names(home.path()).is_empty());
}

#[test]
fn leftovers_of_a_crash_do_not_block_a_new_file() {
    let home = tempfile::tempdir().unwrap();
    for number in 0..32 {
        let name = format!(".new-{}-{number}", std::process::id());
        fs::write(home.path().join(name), "left").unwrap();
    }
    let path = home.path().join("state");
    gateway_files::replace(&path, b"1").unwrap();
    gateway_files::replace(&path, b"2").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"2");
    assert_eq!(names(home.path()).len(), 33);
}

#[test]
fn publishes_with_another_mode_where_asked() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("component.wasm");
    let mut file = NewFile::create(&path).unwrap().with_mode(0o644);
    file.write_all(b"wasm").unwrap();
    file.replace().unwrap();
    assert_eq!(mode(&path), 0o644);
}

#[test]
fn reports_path_and_action_where_the_folder_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let error = gateway_files::write_new(&home.path().join("none/file"), b"").unwrap_err();
    assert!(error.is_not_found() && !error.is_disk_full());
    assert_eq!(error.path(), home.path().join("none"));
    assert!(error.to_string().starts_with("cannot open `"), "{error}");
}

#[test]
fn a_full_disk_is_told_apart() {
    let full = std::io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error());
    let error = Error::Io {
        action: "write",
        path: "file".into(),
        source: full,
    };
    assert!(error.is_disk_full());
    let error = std::io::Error::from(error);
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn reads_no_more_than_the_bound() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    fs::write(&path, [b'a'; 10]).unwrap();
    assert_eq!(gateway_files::read(&path, 10).unwrap().len(), 10);
    let error = gateway_files::read(&path, 9).unwrap_err();
    assert!(matches!(error, Error::TooLarge { max: 9, .. }));
}

#[test]
fn reads_regular_files_only_and_waits_for_no_writer() {
    let home = tempfile::tempdir().unwrap();
    let fifo = home.path().join("fifo");
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, mode).unwrap();
    for path in [fifo.as_path(), home.path(), Path::new("/dev/zero")] {
        let refused = gateway_files::read(path, 10);
        let expected = matches!(
            &refused,
            Err(Error::Refused {
                reason: Refusal::NotAFile,
                ..
            })
        );
        assert!(expected, "{refused:?}");
    }
}

#[test]
fn reads_private_files_only_where_asked() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("key");
    fs::write(&path, "secret").unwrap();
    for open in [0o640, 0o604, 0o610] {
        set_mode(&path, open);
        let refused = gateway_files::read_private(&path, 10);
        assert!(
            matches!(&refused, Err(Error::Refused { reason: Refusal::OthersHaveAccess(mode), .. }) if mode & 0o777 == open),
            "{refused:?}"
        );
    }
    set_mode(&path, 0o400);
    // Kubernetes mounts a secret's keys as symlinks.
    symlink(&path, home.path().join("link")).unwrap();
    let read = gateway_files::read_private(&home.path().join("link"), 10);
    assert_eq!(read.unwrap(), b"secret");
}

#[test]
fn opens_private_folders_only() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("store");
    let folder = PrivateFolder::ensure(&path).unwrap();
    assert_eq!((folder.path(), mode(&path)), (path.as_path(), 0o700));
    PrivateFolder::ensure(&path).unwrap();

    let link = home.path().join("link");
    symlink(&path, &link).unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    for name in ["link", "link/", "file"] {
        let refused = PrivateFolder::open(&home.path().join(name)).unwrap_err();
        assert!(
            matches!(
                refused,
                Error::Refused {
                    reason: Refusal::NotAFolder,
                    ..
                }
            ),
            "{name}: {refused}"
        );
    }
    set_mode(&path, 0o750);
    let refused = PrivateFolder::open(&path).unwrap_err();
    assert!(refused.to_string().contains("750"), "{refused}");
}

#[test]
fn makes_missing_parents_private_and_returns_them() {
    let home = tempfile::tempdir().unwrap();
    let made = gateway_files::make_private_folders(&home.path().join("a/b/c")).unwrap();
    let expected = ["a", "a/b", "a/b/c"].map(|name| home.path().join(name));
    assert_eq!(made, expected);
    assert!(made.iter().all(|folder| mode(folder) == 0o700));
    let again = gateway_files::make_private_folders(&home.path().join("a/b/c")).unwrap();
    assert!(again.is_empty());
}

#[test]
fn moves_without_replacing() {
    let home = tempfile::tempdir().unwrap();
    let store = PrivateFolder::ensure(&home.path().join("store")).unwrap();
    let work = store.make_folder("work").unwrap();
    assert!(matches!(
        store.make_folder("work"),
        Err(Error::Exists { .. })
    ));
    work.create("archive").unwrap().write_all(b"new").unwrap();
    assert!(matches!(work.create("archive"), Err(Error::Exists { .. })));
    store.write_new("taken", b"old").unwrap();
    let taken = work.rename_new("archive", &store, "taken");
    assert!(matches!(taken, Err(Error::Exists { .. })));
    work.rename_new("archive", &store, "free").unwrap();
    store.rename_over("free", &store, "taken").unwrap();
    assert_eq!(store.read("taken", 10).unwrap(), b"new");
    assert_eq!(names(store.path()), ["taken", "work"]);
    store.remove("taken").unwrap();
    store.remove("taken").unwrap();
    store.sync().unwrap();
    assert!(store.read("taken", 10).unwrap_err().is_not_found());
}

#[test]
fn reads_from_a_private_folder_what_this_user_wrote() {
    let home = tempfile::tempdir().unwrap();
    let folder = PrivateFolder::ensure(&home.path().join("cache")).unwrap();
    folder.write_new("a", b"code").unwrap();
    assert_eq!(folder.read_private("a", 10).unwrap(), b"code");

    let reason = |name: &str| match folder.read_private(name, 10) {
        Err(Error::Refused { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    symlink("a", folder.path_of("link")).unwrap();
    assert_eq!(reason("link"), Refusal::NotAFile);
    fs::hard_link(folder.path_of("a"), folder.path_of("b")).unwrap();
    assert_eq!(reason("b"), Refusal::Linked);
    fs::remove_file(folder.path_of("b")).unwrap();
    set_mode(&folder.path_of("a"), 0o660);
    assert!(matches!(reason("a"), Refusal::OthersHaveAccess(_)));
}

#[test]
fn scratch_files_have_no_name() {
    let home = tempfile::tempdir().unwrap();
    let folder = PrivateFolder::ensure(&home.path().join("work")).unwrap();
    let mut scratch = folder.scratch().unwrap();
    scratch.write_all(b"kept for a while").unwrap();
    assert!(names(folder.path()).is_empty());
}
