//! A store for a test, and writers that behave as runtimes do.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use gateway_archive::{CheckpointInfo, Intake, Reservation, Settings, Store};
use gateway_core::{
    Checkpoint, CheckpointId, Container, RequestId, RuntimeInfo, Target, Transport,
};
use gateway_redact::Redaction;
use tempfile::TempDir;
use uuid::Uuid;

use crate::specimen::{image, message};

/// A directory for a store, removed at the end of the test.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.0.path().join("checkpoints")
    }

    /// No floor: a test's disk may be full.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            min_free_bytes: 0,
            ..Settings::new(self.directory())
        }
    }

    /// No patience: for a writer that will never go on.
    pub(crate) fn impatient(&self) -> Settings {
        Settings {
            drain_timeout: Duration::ZERO,
            ..self.settings()
        }
    }

    pub(crate) fn store(&self) -> Store {
        let (store, cleaned) = Store::open(self.settings()).unwrap();
        assert_eq!(cleaned, []);
        store
    }

    /// The names in the directory, but the two that are always there.
    pub(crate) fn published(&self) -> Vec<String> {
        let mut names = names(&self.directory());
        names.retain(|name| ![".lock", ".incoming"].contains(&name.as_str()));
        names
    }

    pub(crate) fn incoming(&self) -> Vec<String> {
        names(&self.directory().join(".incoming"))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.published().is_empty() && self.incoming().is_empty()
    }
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn id(number: u128) -> CheckpointId {
    Uuid::from_u128(number).into()
}

pub(crate) fn target(text: &str) -> Target {
    text.parse().unwrap()
}

pub(crate) fn info(number: u128) -> CheckpointInfo {
    CheckpointInfo {
        id: id(number),
        target: "shop/cart-0/app".parse().unwrap(),
        container_id: "c".repeat(64),
        pod_uid: "2d0d1b0c-2f5b-4d0c-9f5d-111111111111".to_owned(),
        image: "registry.example/cart:1".to_owned(),
        container: Container::named("shop/cart-0/app".parse().unwrap(), "c".repeat(64)),
        created_by: "alice".to_owned(),
        reason: Some("it hangs".to_owned()),
        runtime: runtime("containerd"),
        request_id: RequestId::from(Uuid::from_u128(number)),
        trace_id: None,
        hidden: Vec::new(),
        texts: gateway_redact::TextMasker::default(),
        created_at: "2026-11-22T23:51:39.123456789Z".parse().unwrap(),
    }
}

pub(crate) fn runtime(name: &str) -> RuntimeInfo {
    RuntimeInfo {
        name: name.to_owned(),
        version: "2.1.9".to_owned(),
    }
}

pub(crate) fn reserved(store: &Store) -> Reservation {
    store.reserve(&info(0).target, None).unwrap()
}

pub(crate) async fn intake(store: &Store, number: u128, transport: Transport) -> Intake {
    store
        .intake(reserved(store), id(number), transport, None)
        .await
        .unwrap()
}

pub(crate) async fn redacting(
    store: &Store,
    number: u128,
    transport: Transport,
    redaction: Redaction,
) -> Intake {
    store
        .intake(reserved(store), id(number), transport, Some(redaction))
        .await
        .unwrap()
}

/// The length of [`whole`] without a log's contents, in bytes.
pub(crate) const EMPTY: usize = 8192;

/// The smallest checkpoint that a gateway publishes, of one process without memory, with this log.
pub(crate) fn whole(log: Vec<u8>) -> Vec<u8> {
    let images = [
        ("inventory", image(&[message(&[(1, 2)])])),
        ("pstree", image(&[message(&[(1, 1), (5, 1)])])),
        // Alive.
        ("core-1", image(&[vec![3 << 3 | 2, 2, 1 << 3, 1]])),
        ("mm-1", image(&[message(&[(1, 0)])])),
        ("pagemap-1", image(&[message(&[(1, 1)])])),
        ("pages-1", Vec::new()),
    ];
    let mut members: Vec<_> = images
        .map(|(name, bytes)| (format!("checkpoint/{name}.img"), bytes))
        .into();
    members.push(("container.log".to_owned(), log));
    members.push(("spec.dump".to_owned(), b"{}".to_vec()));
    crate::specimen::tar(&members)
}

/// `length` bytes of a checkpoint: a whole one, unless that would be longer.
pub(crate) fn tar(length: usize) -> Vec<u8> {
    let log = length.saturating_sub(EMPTY) / 512 * 512;
    let noise = (0..log).map(|at| u8::try_from(at.wrapping_mul(at) % 251).unwrap());
    let mut archive = whole(noise.collect());
    archive.resize(length, 0);
    archive
}

/// Opens as containerd and CRI-O do.
pub(crate) fn open(location: &Path) -> File {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(location)
        .unwrap()
}

/// A runtime that writes `data` in pieces of `size` bytes and is done.
pub(crate) fn write(location: &Path, data: Vec<u8>, size: usize) -> JoinHandle<()> {
    let mut file = open(location);
    std::thread::spawn(move || {
        for piece in data.chunks(size) {
            file.write_all(piece).unwrap();
        }
    })
}

/// What `sha256sum` prints. Not by running it: a child has the lock of every store that is open while it is forked.
pub(crate) fn sha256(path: &Path) -> String {
    let digest =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &std::fs::read(path).unwrap());
    format!("{digest:?}")
        .strip_prefix("SHA256:")
        .unwrap()
        .to_owned()
}

/// Whether the pair is whole, private, and what its digest says it is.
pub(crate) fn check(checkpoint: &Checkpoint, data: &[u8]) {
    let metadata = PathBuf::from(format!("{}.json", checkpoint.path.display()));
    assert!(std::fs::read(&checkpoint.path).unwrap() == data);
    assert_eq!(checkpoint.bytes, data.len() as u64);
    assert_eq!(sha256(&checkpoint.path), checkpoint.sha256);
    let text = std::fs::read(&metadata).unwrap();
    assert_eq!(
        &serde_json::from_slice::<Checkpoint>(&text).unwrap(),
        checkpoint
    );
    for path in [&checkpoint.path, &metadata] {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}
