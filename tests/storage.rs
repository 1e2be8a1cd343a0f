//! Files on the disk after success, failure and a crash.

mod failures;

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use gateway_node::{Fault, Gate, Method as Rpc, Moment};
use http::StatusCode;
use serde_json::Value;

use crate::support::small_disk::SmallDisk;
use crate::support::world::{PATH, SECRET, set};
use crate::support::{World, in_time};

/// The digest of a file by `sha256sum`.
pub fn sha256sum(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned()
}

/// The metadata file of a published archive.
pub fn metadata(archive: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(format!("{}.json", archive.display())).unwrap()).unwrap()
}

pub fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o7777
}

async fn take(world: &World) -> PathBuf {
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["items"][0].as_str().unwrap().into()
}

fn contains(path: &Path, needle: &str) -> bool {
    let bytes = std::fs::read(path).unwrap();
    bytes
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}

#[tokio::test]
async fn an_archive_is_private_whole_and_described() {
    let world = World::new().await;
    let archive = take(&world).await;
    assert_eq!((mode(&archive), mode(&world.checkpoints())), (0o600, 0o700));
    let metadata = metadata(&archive);
    assert_eq!(metadata["sha256"], sha256sum(&archive));
    assert_eq!(
        metadata["bytes"],
        std::fs::metadata(&archive).unwrap().len()
    );
    assert_eq!(metadata["path"], archive.to_str().unwrap());
    assert_eq!(
        (
            &metadata["namespace"],
            &metadata["pod"],
            &metadata["container"]
        ),
        (&"shop".into(), &"cart-0".into(), &"app".into())
    );
    assert_eq!(
        (&metadata["created_by"], &metadata["transport"]),
        (&"alice".into(), &"fifo".into())
    );
    assert_eq!(metadata["container_id"], world.pod.containers[0].id);
    assert_eq!(metadata["runtime"]["name"], "checkpoint-gateway-node");
    assert!(
        contains(&archive, SECRET),
        "a checkpoint holds the environment"
    );
    let mut members = tar::Archive::new(std::fs::File::open(&archive).unwrap());
    let members: Vec<_> = members
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    for expected in [
        "config.dump",
        "spec.dump",
        "checkpoint/inventory.img",
        "checkpoint/pstree.img",
        "rootfs-diff.tar",
    ] {
        assert!(
            members.iter().any(|member| member == expected),
            "{expected}: {members:?}"
        );
    }
}

#[tokio::test]
async fn a_record_says_what_was_taken_and_by_whom() {
    let world = World::new().await;
    let archive = take(&world).await;
    let [intent, outcome] = world.audit().try_into().unwrap();
    assert_eq!(
        (&intent["event"], &outcome["event"]),
        (&"intent".into(), &"outcome".into())
    );
    assert_eq!(intent["checkpoint_id"], outcome["checkpoint_id"]);
    assert_eq!(outcome["sha256"], sha256sum(&archive));
    assert_eq!(intent["verdicts"][0]["decision"], "allow");
    assert_eq!(intent["container_id"], world.pod.containers[0].id);
    assert_eq!(intent["request_id"], metadata(&archive)["request_id"]);
}

#[tokio::test]
async fn the_plaintext_exists_under_no_other_name_while_it_streams() {
    let world = World::new().await;
    let gate = Gate::closed();
    world
        .node
        .behave(Fault::Hold(Moment::AfterArchive, gate.clone()));
    let client = world.client("alice");
    let look = async {
        in_time(
            world
                .node
                .wait_for_calls(|calls| calls.of(Rpc::CheckpointContainer) == 1),
        )
        .await;
        let incoming = world.checkpoints().join(".incoming");
        let work = std::fs::read_dir(&incoming)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        assert_eq!(mode(&work), 0o700);
        let location = work.join("archive");
        assert!(
            std::fs::metadata(&location).unwrap().file_type().is_fifo(),
            "the runtime writes into a FIFO"
        );
        assert_eq!(world.published(), Vec::<String>::new());
        gate.open();
    };
    let (answer, ()) = tokio::join!(client.post(PATH), look);
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        std::fs::read_dir(world.checkpoints().join(".incoming"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test]
async fn a_runtime_that_takes_no_fifo_gets_a_private_file() {
    for fault in [Fault::RefuseFifo, Fault::ReplaceLocation] {
        let world = World::new().await;
        world.node.behave(fault.clone());
        for _ in 0..2 {
            let archive = take(&world).await;
            let metadata = metadata(&archive);
            assert_eq!(metadata["transport"], "file", "{fault:?}");
            assert_eq!(metadata["sha256"], sha256sum(&archive));
            assert_eq!(mode(&archive), 0o600);
        }
        let calls = if matches!(fault, Fault::RefuseFifo) {
            3
        } else {
            2
        };
        assert_eq!(
            world.node.checkpoint_calls(),
            calls,
            "a refusal is met once, then remembered: {fault:?}"
        );
    }
}

#[tokio::test]
async fn two_gateways_never_share_a_folder() {
    let world = World::new().await;
    let mut config = world.config.clone();
    set(
        &mut config,
        "audit.file",
        world.directory.path().join("other.log").to_str().unwrap(),
    );
    let second = tempfile::tempdir().unwrap();
    let path = crate::support::world::write(second.path(), &config);
    let Err(said) = crate::support::Gateway::try_start(&path).await else {
        panic!("it started")
    };
    assert!(said.join("\n").contains("another gateway uses"), "{said:?}");
}

#[tokio::test]
async fn refuses_while_the_audit_log_cannot_be_written() {
    let disk = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&disk.path().join("small")) else {
        eprintln!("skipped: no right to mount a small disk");
        return;
    };
    let log = disk.0.join("audit.log");
    let world = World::with(|config| set(config, "audit.file", log.to_str().unwrap())).await;
    let filler = disk.0.join("filler");
    let _ = std::fs::write(&filler, vec![0; 128 << 10]); // fails when the disk is full, as it should be
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "audit-unavailable")
    );
    assert_eq!(world.node.checkpoint_calls(), 0);
    world
        .gateway
        .counted("checkpoint_gateway_audit_failures_total", 1.0)
        .await;
    std::fs::remove_file(&filler).unwrap();
    take(&world).await;
}

#[tokio::test]
async fn is_not_ready_until_open_intents_are_closed() {
    let disk = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&disk.path().join("small")) else {
        eprintln!("skipped: no right to mount a small disk");
        return;
    };
    let log = disk.0.join("audit.log");
    let mut world = World::with(|config| set(config, "audit.file", log.to_str().unwrap())).await;
    take(&world).await;
    world.gateway.signal(rustix::process::Signal::KILL);
    world.gateway.wait().await;
    // As if it had been killed between the intent and the outcome.
    let text = std::fs::read_to_string(&log).unwrap();
    let intent = text.lines().next().unwrap();
    // A log that ends where a page of the disk does, so that no record has room in its last one.
    let reason = format!(
        r#""reason":"{}""#,
        "x".repeat(4096 - intent.len() - 1 - 2 + "null".len())
    );
    let intent = intent.replacen(r#""reason":null"#, &reason, 1); // the request in it has one, too
    assert_eq!(intent.len() + 1, 4096);
    std::fs::write(&log, format!("{intent}\n")).unwrap();
    let filler = disk.0.join("filler");
    let _ = std::fs::write(&filler, vec![0; 128 << 10]); // fails when the disk is full, as it should be

    let world = world.restarted().await;
    let calls = world.node.checkpoint_calls();
    let ready = || crate::support::client::admin(world.gateway.admin, "/readyz");
    assert_eq!(ready().await.status, 503);
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "audit-unavailable")
    );
    assert_eq!(world.node.checkpoint_calls(), calls);
    std::fs::remove_file(&filler).unwrap();
    assert_eq!(ready().await.status, 200);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(
        text.lines()
            .nth(1)
            .unwrap()
            .contains("\"code\":\"unknown\""),
        "{text}"
    );
    take(&world).await;
}
