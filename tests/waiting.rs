//! Callers wait, leave, and queue; checkpoints go on.

use gateway_node::{Fault, Gate, Method as Rpc, Moment};
use http::StatusCode;

use crate::support::world::{PATH, set};
use crate::support::{World, in_time};

fn held() -> (Gate, Fault) {
    let gate = Gate::closed();
    (gate.clone(), Fault::Hold(Moment::BeforeDump, gate))
}

async fn until_checkpoints_begin(world: &World, count: usize) {
    in_time(
        world
            .node
            .wait_for_calls(|calls| calls.of(Rpc::CheckpointContainer) == count),
    )
    .await;
}

#[tokio::test]
async fn answers_504_after_the_wait_and_the_checkpoint_goes_on() {
    let world = World::new().await;
    let (gate, fault) = held();
    world.node.behave(fault);
    let answer = world
        .client("alice")
        .post(&format!("{PATH}?timeout=1"))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (504, "wait-over")
    );
    let id = answer.json()["checkpoint_id"].clone();
    assert_eq!(world.published(), Vec::<String>::new());
    gate.open();
    let stored = world
        .gateway
        .logged(|line| line["message"] == "stored")
        .await;
    assert_eq!(stored["checkpoint_id"], id);
    assert_eq!(world.published().len(), 2);
    assert_eq!(
        world.node.calls().abandoned(Rpc::CheckpointContainer),
        0,
        "the RPC was cancelled"
    );
}

#[tokio::test]
async fn answers_202_with_the_location_of_the_checkpoint() {
    let world = World::new().await;
    let (gate, fault) = held();
    world.node.behave(fault);
    let answer = world
        .client("alice")
        .with_header("prefer", "respond-async")
        .post(PATH)
        .await;
    assert_eq!(
        (answer.status, answer.header("preference-applied")),
        (StatusCode::ACCEPTED, "respond-async")
    );
    let there = answer.header("location");
    assert_eq!(
        there,
        format!("/v1/checkpoints/{}", answer.json()["id"].as_str().unwrap())
    );
    assert_eq!(
        world.client("alice").get(there).await.code(),
        "checkpoint-not-found"
    );
    gate.open();
    world
        .gateway
        .logged(|line| line["message"] == "stored")
        .await;
    assert_eq!(
        world.client("alice").get(there).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_denial_is_told_to_a_caller_who_does_not_want_to_wait_too() {
    let world = World::new().await;
    let answer = world
        .client("mallory")
        .with_header("prefer", "wait=1, respond-async")
        .post(PATH)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (403, "denied")
    );
}

#[tokio::test]
async fn waits_for_the_configured_time_by_default() {
    let world = World::with(|config| set(config, "checkpoints.default-wait-seconds", 1)).await;
    let (gate, fault) = held();
    world.node.behave(fault);
    assert_eq!(world.client("alice").post(PATH).await.code(), "wait-over");
    gate.open();
}

#[tokio::test]
async fn no_caller_waits_longer_than_the_configuration_allows() {
    let world = World::with(|config| set(config, "checkpoints.max-wait-seconds", 1)).await;
    let (gate, fault) = held();
    world.node.behave(fault);
    assert_eq!(
        world
            .client("alice")
            .post(&format!("{PATH}?timeout=4000000"))
            .await
            .code(),
        "wait-over"
    );
    gate.open();
}

#[tokio::test]
async fn a_client_that_disconnects_loses_only_its_answer() {
    let world = World::new().await;
    let (gate, fault) = held();
    world.node.behave(fault);
    world
        .client("alice")
        .abandon(PATH, until_checkpoints_begin(&world, 1))
        .await;
    gate.open();
    world
        .gateway
        .logged(|line| line["message"] == "stored")
        .await;
    assert_eq!(world.published().len(), 2);
    assert_eq!(
        world.node.calls().abandoned(Rpc::CheckpointContainer),
        0,
        "the RPC was cancelled"
    );
    let events: Vec<_> = world
        .audit()
        .iter()
        .map(|record| record["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(events, ["intent", "outcome"]);
}

#[tokio::test]
async fn two_at_once_on_one_container_go_one_after_the_other() {
    let world = World::new().await;
    let (gate, fault) = held();
    world.node.behave(fault);
    let (first, second) = (world.client("alice"), world.client("alice"));
    let (first, second) = (first.post(PATH), second.post(PATH));
    let open = async {
        until_checkpoints_begin(&world, 1).await;
        gate.open();
    };
    let (first, second, ()) = in_time(async { tokio::join!(first, second, open) }).await;
    assert_eq!(
        (first.status, second.status),
        (StatusCode::OK, StatusCode::OK)
    );
    assert_eq!(world.published().len(), 4);
}

#[tokio::test]
async fn a_full_queue_answers_at_once_and_says_when_to_try_again() {
    let world = World::with(|config| set(config, "runtime.waiting-per-container", 0)).await;
    let (gate, fault) = held();
    world.node.behave(fault);
    let client = world.client("alice");
    let rest = async {
        until_checkpoints_begin(&world, 1).await;
        let full = world.client("alice").post(PATH).await;
        assert_eq!((full.status.as_u16(), full.code().as_str()), (429, "busy"));
        assert_eq!(full.header("retry-after"), "10");
        gate.open();
    };
    let (first, ()) = in_time(async { tokio::join!(client.post(PATH), rest) }).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(world.node.checkpoint_calls(), 1);
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK,
        "the queue is free again"
    );
}

#[tokio::test]
async fn too_many_requests_at_once_are_turned_away() {
    let world = World::with(|config| set(config, "limits.requests", 1)).await;
    let (gate, fault) = held();
    world.node.behave(fault);
    let client = world.client("alice");
    let rest = async {
        until_checkpoints_begin(&world, 1).await;
        let turned_away = world.client("alice").get("/v1/whoami").await;
        assert_eq!(
            (turned_away.status.as_u16(), turned_away.code().as_str()),
            (503, "overloaded")
        );
        gate.open();
    };
    let (first, ()) = in_time(async { tokio::join!(client.post(PATH), rest) }).await;
    assert_eq!(first.status, StatusCode::OK);
}
