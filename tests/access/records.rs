//! Audit records of access to stored checkpoints.

use http::{Method, StatusCode};
use serde_json::Value;

use super::{fetch, path, taken};
use crate::support::World;
use crate::support::small_disk::SmallDisk;
use crate::support::world::set;

#[tokio::test]
async fn records_access_before_and_after_it_happens() {
    let world = World::new().await;
    let checkpoint = taken(&world).await;
    let told = |records: &[Value]| -> Vec<(Value, Value, Value)> {
        let part = |record: &Value| {
            (
                record["event"].clone(),
                record["action"].clone(),
                record["checkpoint_id"].clone(),
            )
        };
        records.iter().skip(2).map(part).collect()
    };
    assert_eq!(fetch(&world, &checkpoint, &[]).await.status, StatusCode::OK);
    crate::support::in_time(async {
        // The outcome of a download is known when its last byte is taken.
        while world.audit().len() < 4 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(
        world
            .client("alice")
            .send(Method::DELETE, &path(&checkpoint))
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    let id = &checkpoint["id"];
    let expected = ["download", "delete"].map(|action| {
        ["intent", "outcome"].map(|event| (Value::from(event), Value::from(action), id.clone()))
    });
    assert_eq!(told(&world.audit()), expected.concat());
    assert_eq!(world.audit()[3]["bytes"], checkpoint["bytes"]);
}

#[tokio::test]
async fn a_log_that_takes_no_record_lets_nobody_fetch_or_remove() {
    let disk = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&disk.path().join("small")) else {
        eprintln!("skipped: no right to mount a small disk");
        return;
    };
    let log = disk.0.join("audit.log");
    let world = World::with(|config| set(config, "audit.file", log.to_str().unwrap())).await;
    let checkpoint = taken(&world).await;
    let _ = std::fs::write(disk.0.join("filler"), vec![0; 128 << 10]); // fails when the disk is full, as it should be
    // The file's last page may have room for some records yet.
    for _ in 0..64 {
        if fetch(&world, &checkpoint, &[]).await.status != StatusCode::OK {
            break;
        }
    }
    for (method, path) in [
        (Method::GET, format!("{}/archive", path(&checkpoint))),
        (Method::DELETE, path(&checkpoint)),
    ] {
        let answer = world.client("alice").send(method, &path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (503, "audit-unavailable"),
            "{path}"
        );
    }
    assert_eq!(world.published().len(), 2);
}
