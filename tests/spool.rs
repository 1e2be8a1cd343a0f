//! Beside a runtime that keeps the container paused while it writes, archives to be redacted go through a sealed spool.

mod paused;

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_node::{Behaviour, Dialect, Fault};
use http::StatusCode;
use rustix::process::Signal;
use serde_json::json;

use crate::redaction::{environment, redacting, showing, take};
use crate::storage::metadata;
use crate::support::world::{PATH, SECRET, set, write};
use crate::support::{Gateway, World, in_time};

/// A redacted CRI-O archive, with the original sealed.
fn sealing(config: &mut toml::Table) {
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let originals = json!({ "keep": "sealed", "recipients": [recipient] });
    let originals = toml::Value::try_from(originals).unwrap();
    config.insert("originals".to_owned(), originals);
}

/// The state of a process, such as `T` where it is stopped.
fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

async fn until(mut reached: impl FnMut() -> bool) {
    in_time(async {
        while !reached() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// All that lies below a folder and is no folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The open files of a process that have no name any more, and lie below a folder.
fn nameless_files(pid: u32, folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let open = entries.map(|entry| entry.unwrap().path());
    open.filter(|open| {
        let target = std::fs::read_link(open).unwrap_or_default();
        target.starts_with(folder) && target.to_string_lossy().ends_with(" (deleted)")
    })
    .collect()
}

/// Beside a slow CRI-O, whose archive has 64 MiB.
async fn slow() -> World {
    let world = redacting(Dialect::CriO, environment(), |_| {}).await;
    let slow = Fault::WaitBetweenChunks(Duration::from_millis(1));
    let large = Behaviour::from(Fault::ExtraPages(64 << 20));
    world.node.behave(large.with(slow));
    world
}

#[tokio::test]
async fn auto_spools_what_crio_writes() {
    let world = redacting(Dialect::CriO, environment(), sealing).await;
    let archive = take(&world).await;
    assert_eq!(showing(&archive, SECRET), Vec::<String>::new());
    let found = metadata(&archive);
    assert_eq!(found["transport"], "spool", "{found}");
    assert!(found["original"]["sealed"].as_bool().unwrap(), "{found}");
    // Without redaction the runtime waits for nothing, so there is nothing to spool.
    let plain = World::beside(Dialect::CriO, |_| {}).await;
    assert_eq!(metadata(&take(&plain).await)["transport"], "fifo");
}

#[tokio::test]
async fn a_setting_chooses_or_forbids_the_spool() {
    for (dialect, choice) in [(Dialect::Containerd, "spool"), (Dialect::CriO, "fifo")] {
        let world = redacting(dialect, environment(), |config| {
            set(config, "checkpoints.transport", choice);
        })
        .await;
        let archive = take(&world).await;
        assert_eq!(metadata(&archive)["transport"], choice);
        assert_eq!(showing(&archive, SECRET), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_runtime_that_dies_while_it_writes_leaves_nothing() {
    let world = redacting(Dialect::CriO, environment(), |_| {}).await;
    let dies = Behaviour::from(Fault::ExtraPages(16 << 20));
    world
        .node
        .behave(dies.with(Fault::AbortConnectionAfter(8 << 20)));
    let answer = world.client("alice").post(PATH).await;
    assert!(answer.status.is_server_error(), "{answer:?}");
    assert_eq!(world.published(), Vec::<String>::new());
    let incoming = world.checkpoints().join(".incoming");
    assert_eq!(files_below(&incoming), Vec::<PathBuf>::new());
    world.node.behave(Behaviour::normal());
    assert_eq!(showing(&take(&world).await, SECRET), Vec::<String>::new());
}

#[tokio::test]
async fn a_spool_over_the_bound_is_refused_and_drained() {
    let world = redacting(Dialect::CriO, environment(), |config| {
        set(config, "checkpoints.max-bytes", 8 << 20);
    })
    .await;
    world.node.behave(Fault::ExtraPages(32 << 20));
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        answer.status,
        StatusCode::INSUFFICIENT_STORAGE,
        "{answer:?}"
    );
    assert_eq!(world.published(), Vec::<String>::new());
    let pid = world.pod.containers[0].pid;
    until(|| state(pid).is_some_and(|state| state != 'T')).await;
}

#[tokio::test]
async fn a_killed_gateway_leaves_nothing_readable() {
    let mut world = slow().await;
    let (pid, gateway) = (world.pod.containers[0].pid, world.gateway.pid());
    let client = world.client("alice");
    let request = async move {
        let post = client.try_send(http::Method::POST, PATH, bytes::Bytes::new());
        post.await.map(drop)
    };
    let request = tokio::task::spawn(request);
    let checkpoints = world.checkpoints();
    // The secret is in the first pages, so the spool has it by now.
    let mut spool = Vec::new();
    until(|| {
        spool = nameless_files(gateway, &checkpoints)
            .first()
            .and_then(|open| std::fs::read(open).ok())
            .unwrap_or_default();
        spool.len() > 20 << 20
    })
    .await;
    assert_eq!(state(pid), Some('T'));
    let holds = |text: &[u8]| spool.windows(text.len()).any(|window| window == text);
    assert!(!holds(SECRET.as_bytes()) && !holds(b"ustar"));
    world.gateway.signal(Signal::KILL);
    world.gateway.wait().await;
    assert!(request.await.unwrap().is_err());
    let left = files_below(&checkpoints);
    let is_fifo = |path: &&PathBuf| path.metadata().unwrap().file_type().is_fifo();
    let (fifos, files): (Vec<_>, Vec<_>) = left.iter().partition(is_fifo);
    let bytes = files.iter().map(|path| path.metadata().unwrap().len());
    assert_eq!(bytes.sum::<u64>(), 0, "{left:?}");
    assert_eq!(fifos.len(), 1);
    // The runtime still waits for a reader, with the container paused, until a gateway starts.
    assert_eq!(state(pid), Some('T'));
    world.node.behave(Behaviour::normal());
    let config = write(world.directory.path(), &world.config);
    world.gateway = Gateway::start(&config).await;
    let incoming = checkpoints.join(".incoming");
    assert_eq!(files_below(&incoming), Vec::<PathBuf>::new());
    until(|| state(pid).is_some_and(|state| state != 'T')).await;
}
