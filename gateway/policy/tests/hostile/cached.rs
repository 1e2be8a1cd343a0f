//! Tests the cache of compiled policies: entries are used only if they are private and intact.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use gateway_policy::{Cache, Engine, Policies, Spec};
use tempfile::TempDir;

use crate::world::{allows, among_others, annotation, authorizer, engine, request};

struct Folder {
    folder: TempDir,
    engine: Engine,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        Self {
            folder,
            engine: engine(),
        }
    }

    fn load(&self, spec: Spec) -> Policies {
        let cache = Cache::open(self.folder.path()).unwrap();
        Policies::load(1, None, vec![spec], &self.engine, Some(&cache))
    }

    /// All entries with their inode numbers, which change when an entry is written again.
    fn entries(&self) -> Vec<(PathBuf, u64)> {
        use std::os::unix::fs::MetadataExt;
        let entries = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap());
        let mut entries: Vec<_> = entries
            .map(|entry| (entry.path(), entry.metadata().unwrap().ino()))
            .collect();
        entries.sort();
        entries
    }

    fn entry(&self) -> PathBuf {
        let entries = self.entries();
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries[0].0.clone()
    }
}

fn write_private(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_second_load_uses_the_cache() {
    let _process = among_others();
    let folder = Folder::new();
    assert!(allows(&folder.load(authorizer("echo"))));
    let entries = folder.entries();
    let policies = folder.load(authorizer("echo"));
    let verdicts = policies.authorize(&request("alice"));
    assert_eq!(annotation(&verdicts, "settings"), r#"{"do":"echo"}"#);
    assert_eq!(annotation(&verdicts, "configured"), "1");
    assert_eq!(folder.entries(), entries, "it was compiled again");
    assert_eq!(
        fs::metadata(folder.entry()).unwrap().permissions().mode() & 0o7777,
        0o600
    );
}

/// `KEY.cwasm`: the SHA-256 of the key and the compiled code, then the code. Caches of earlier builds have this format.
#[test]
fn keeps_the_file_format_of_earlier_builds() {
    let _process = among_others();
    let folder = Folder::new();
    assert!(allows(&folder.load(authorizer("allow"))));
    let entry = folder.entry();
    let name = entry.file_name().unwrap().to_str().unwrap();
    let key = name.strip_suffix(".cwasm").unwrap();
    assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let bytes = fs::read(&entry).unwrap();
    let (checksum, compiled) = bytes.split_at(32);
    let expected = digest(&SHA256, &[key.as_bytes(), compiled].concat());
    assert_eq!(checksum, expected.as_ref());
}

#[test]
fn other_settings_have_another_entry() {
    let _process = among_others();
    let folder = Folder::new();
    assert!(allows(&folder.load(authorizer("echo"))));
    assert!(!allows(&folder.load(authorizer("deny"))));
    assert_eq!(folder.entries().len(), 2);
}

#[test]
fn ignores_and_replaces_a_damaged_entry() {
    let _process = among_others();
    let folder = Folder::new();
    assert!(allows(&folder.load(authorizer("allow"))));
    let entry = folder.entry();
    let whole = fs::read(&entry).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    for bytes in [
        &damaged,
        &whole[..whole.len() / 2],
        &whole[..100],
        b"",
        b"\x7fELF and nothing more",
    ] {
        write_private(&entry, bytes);
        assert!(
            allows(&folder.load(authorizer("allow"))),
            "{} bytes",
            bytes.len()
        );
        assert!(
            fs::read(&entry).unwrap() == whole,
            "{} bytes were kept",
            bytes.len()
        );
    }
}

#[test]
fn ignores_an_entry_that_others_could_write() {
    let _process = among_others();
    let folder = Folder::new();
    assert!(!allows(&folder.load(authorizer("deny"))));
    let denying = fs::read(folder.entry()).unwrap();
    fs::remove_file(folder.entry()).unwrap();
    assert!(allows(&folder.load(authorizer("allow"))));
    let entry = folder.entry();

    write_private(&entry, &denying);
    assert!(
        allows(&folder.load(authorizer("allow"))),
        "the code of another policy ran"
    );
    for mode in [0o620, 0o602, 0o640] {
        write_private(&entry, &denying);
        fs::set_permissions(&entry, Permissions::from_mode(mode)).unwrap();
        assert!(allows(&folder.load(authorizer("allow"))), "{mode:o}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let planted = elsewhere.path().join("planted");
    fs::write(&planted, &denying).unwrap();
    fs::set_permissions(&planted, Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(&entry).unwrap();
    symlink(&planted, &entry).unwrap();
    assert!(
        allows(&folder.load(authorizer("allow"))),
        "a symbolic link was followed"
    );
    fs::remove_file(&entry).unwrap();
    fs::hard_link(&planted, &entry).unwrap();
    assert!(
        allows(&folder.load(authorizer("allow"))),
        "a hard link was used"
    );
}

#[test]
fn refuses_a_folder_that_others_may_enter() {
    let _process = among_others();
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o777, 0o770, 0o707, 0o755, 0o701] {
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        assert!(Cache::open(folder.path()).is_err(), "{mode:o}");
    }
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    Cache::open(folder.path()).unwrap();
    let link = folder.path().join("link");
    let target = folder.path().join("target");
    Cache::open(&target).unwrap();
    symlink(&target, &link).unwrap();
    assert!(Cache::open(&link).is_err(), "a symbolic link was followed");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Cache::open(&file).is_err());
}
