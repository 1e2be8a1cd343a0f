//! Failures while an archive is stored.

use gateway_node::{Behaviour, Fault, Gate, Method as Rpc, Moment};

use super::take;
use crate::support::world::{PATH, set};
use crate::support::{World, in_time};

#[tokio::test]
async fn a_runtime_that_dies_in_the_middle_leaves_nothing() {
    let world = World::new().await;
    world.node.behave(
        Behaviour::normal()
            .with(Fault::ExtraPages(8 << 20))
            .with(Fault::AbortConnectionAfter(3 << 20)),
    );
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (500, "runtime-lost")
    );
    assert_eq!(world.published(), Vec::<String>::new());
    assert_eq!(
        std::fs::read_dir(world.checkpoints().join(".incoming"))
            .unwrap()
            .count(),
        0
    );
    world.node.behave(Behaviour::normal());
    take(&world).await;
}

#[tokio::test]
async fn a_runtime_out_of_space_leaves_nothing() {
    let world = World::new().await;
    world.node.behave(Fault::DiskFullAfter(4096));
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (500, "runtime-no-space")
    );
    assert_eq!(world.published(), Vec::<String>::new());
}

#[tokio::test]
async fn refuses_on_a_nearly_full_disk_before_the_runtime_is_called() {
    let world = World::with(|config| set(config, "checkpoints.min-free-bytes", i64::MAX)).await;
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (507, "no-space")
    );
    assert_eq!(world.node.checkpoint_calls(), 0);
    let events: Vec<_> = world
        .audit()
        .iter()
        .map(|record| record["event"].clone())
        .collect();
    assert_eq!(
        events,
        ["intent", "outcome"],
        "a reservation may remove others, so it is recorded before"
    );
    assert_eq!(world.audit()[1]["code"], "no-space");
}

#[tokio::test]
async fn an_archive_over_the_limit_is_drained_and_thrown_away() {
    let world = World::with(|config| set(config, "checkpoints.max-bytes", 1 << 20)).await;
    world.node.behave(Fault::ExtraPages(8 << 20));
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (507, "archive-too-large")
    );
    assert_eq!(world.published(), Vec::<String>::new());
    assert_eq!(world.node.calls().in_progress(Rpc::CheckpointContainer), 0);
}

#[tokio::test]
async fn a_kill_leaves_no_partial_archive_after_the_next_start() {
    let mut world = World::new().await;
    let gate = Gate::closed();
    world.node.behave(
        Behaviour::normal()
            .with(Fault::ExtraPages(8 << 20))
            .with(Fault::Hold(Moment::AfterArchive, gate.clone())),
    );
    let client = world.client("alice");
    let kill = async {
        in_time(
            world
                .node
                .wait_for_calls(|calls| calls.of(Rpc::CheckpointContainer) == 1),
        )
        .await;
        // The archive streams while the RPC is held; some of it is on our side when the part exceeds the pipe.
        let part = || {
            let work = std::fs::read_dir(world.checkpoints().join(".incoming"))
                .ok()?
                .next()?
                .ok()?
                .path();
            std::fs::metadata(work.join("archive.tar"))
                .ok()
                .map(|meta| meta.len())
        };
        in_time(async {
            while part().unwrap_or_default() < 4 << 20 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        world.gateway.signal(rustix::process::Signal::KILL);
    };
    let (answer, ()) = tokio::join!(
        client.try_send(http::Method::POST, PATH, bytes::Bytes::new()),
        kill
    );
    assert!(answer.is_err(), "{answer:?}");
    world.gateway.wait().await;
    assert_eq!(world.published(), Vec::<String>::new());
    gate.open();
    world.node.behave(Behaviour::normal());
    let world = world.restarted().await;
    let cleaned = world
        .gateway
        .logged(|line| line["message"] == "removed what a crash had left")
        .await;
    assert!(cleaned["bytes"].as_u64().unwrap() >= 4 << 20, "{cleaned}");
    assert_eq!(
        std::fs::read_dir(world.checkpoints().join(".incoming"))
            .unwrap()
            .count(),
        0
    );
    take(&world).await;
}
