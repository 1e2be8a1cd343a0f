//! A caller that leaves, a timeout and a killed gateway, on a real containerd.

use std::time::Duration;

use super::harness::{Containerd, Counter, Front};
use http::Method;
use rustix::process::Signal;

use super::LARGE;
use crate::storage::{metadata, sha256sum};
use crate::support::Gateway;
use crate::support::world::write;

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnect_keeps_the_container_and_the_archive() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "leaver", LARGE);
    let front = Front::start(&containerd, |_| {}).await;
    let leave = async {
        // 50 ms into the checkpoint, not into a request that may not have arrived yet on a busy machine.
        crate::support::in_time(async {
            while front
                .gateway
                .metric("checkpoint_gateway_checkpoints_running")
                .await
                < 1.0
            {
                tokio::task::yield_now().await;
            }
        })
        .await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    front.client().abandon(&counter.path(), leave).await;
    front
        .gateway
        .logged(|line| line["message"] == "stored")
        .await;
    counter.goes_on(counter.ticks());
    let [archive] = front.archives().try_into().unwrap();
    let archive = front.directory.path().join("checkpoints").join(archive);
    assert_eq!(metadata(&archive)["sha256"], sha256sum(&archive));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_keeps_the_container_and_the_archive() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "hasty", LARGE);
    let front = Front::start(&containerd, |_| {}).await;
    let answer = front
        .client()
        .post(&format!("{}?timeout=1", counter.path()))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (504, "wait-over")
    );
    let stored = front
        .gateway
        .logged(|line| line["message"] == "stored")
        .await;
    assert_eq!(stored["checkpoint_id"], answer.json()["checkpoint_id"]);
    counter.goes_on(counter.ticks());
    assert_eq!(front.archives().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_leaves_no_partial_archive_after_the_next_start() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "killed", LARGE);
    let mut front = Front::start(&containerd, |_| {}).await;
    let client = front.client();
    let path = counter.path();
    let request = tokio::task::spawn(async move {
        client
            .try_send(Method::POST, &path, bytes::Bytes::new())
            .await
    });
    let streamed = || {
        let work = std::fs::read_dir(front.directory.path().join("checkpoints/.incoming"))
            .ok()?
            .next()?
            .ok()?
            .path();
        std::fs::metadata(work.join("archive.tar"))
            .ok()
            .map(|file| file.len())
    };
    while streamed().unwrap_or_default() < 64 << 20 {
        assert!(
            !request.is_finished(),
            "it was over before it could be killed"
        );
        tokio::task::yield_now().await;
    }
    front.gateway.signal(Signal::KILL);
    front.gateway.wait().await;
    assert!(request.await.unwrap().is_err());
    assert_eq!(front.archives(), Vec::<String>::new());
    front.gateway = Gateway::start(&write(front.directory.path(), &front.config)).await;
    let cleaned = front
        .gateway
        .logged(|line| line["message"] == "removed what a crash had left")
        .await;
    assert!(cleaned["bytes"].as_u64().unwrap() >= 64 << 20, "{cleaned}");
    assert!(
        !front.files().contains("archive.tar"),
        "{:?}",
        front.files()
    );
}
