//! The runtime's errors, as the kubelet's endpoint reports them.

use gateway_node::{Behaviour, Fault, Method as Rpc, Moment};
use http::StatusCode;
use tonic::Code;

use super::refused;
use crate::support::World;
use crate::support::world::{PATH, set};

#[tokio::test]
async fn a_runtime_error_is_passed_on_in_the_kubelets_words() {
    let world = World::new().await;
    let text = "criu failed: type NOTIFY errno 0\nlog file: /run/dump.log";
    world
        .node
        .behave(Fault::Fail(Moment::BeforeDump, Code::Unknown, text.into()));
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (500, "runtime-error")
    );
    let words = "checkpointing of shop/cart-0/app failed (rpc error: code = Unknown desc = criu failed: type NOTIFY errno 0 log file: /run/dump.log)";
    assert_eq!(answer.detail(), words);
    assert_eq!(world.published(), Vec::<String>::new());
}

#[tokio::test]
async fn a_runtime_without_checkpoints_says_unimplemented() {
    let world = World::new().await;
    world.node.behave(Fault::NoCheckpoint);
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (500, "runtime-unimplemented")
    );
    assert!(
        answer.detail().contains("rpc error: code = Unimplemented"),
        "{}",
        answer.detail()
    );
}

#[tokio::test]
async fn what_a_runtimes_error_means_shows_in_its_code() {
    let world = World::new().await;
    for (code, text, expected) in [
        (
            Code::NotFound,
            "no such container",
            "runtime-container-not-found",
        ),
        (
            Code::Unknown,
            "CRIU binary not found or too old",
            "runtime-not-supported",
        ),
        (
            Code::Unknown,
            "checkpoint/restore support not available",
            "runtime-not-supported",
        ),
        (
            Code::Unknown,
            "cannot pause a paused container",
            "container-paused",
        ),
        (
            Code::Unknown,
            "write: no space left on device",
            "runtime-no-space",
        ),
        (
            Code::Unknown,
            "container is in CONTAINER_EXITED state",
            "container-not-running",
        ),
        (Code::PermissionDenied, "no", "runtime-forbidden"),
    ] {
        world
            .node
            .behave(Fault::Fail(Moment::BeforeDump, code, text.into()));
        let answer = world.client("alice").post(PATH).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (500, expected),
            "{text}"
        );
    }
    world.node.behave(Behaviour::normal());
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_runtime_that_cannot_tell_is_unavailable() {
    let world = World::new().await;
    world.node.behave(Fault::Fail(
        Moment::Call(Rpc::ListContainers),
        Code::Unavailable,
        "restarting".into(),
    ));
    let answer = refused(&world, PATH, 503, "runtime-unavailable").await;
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test]
async fn where_checkpoints_are_switched_off_only_the_known_are_told() {
    let world = World::with(|config| set(config, "checkpoints.enabled", false)).await;
    refused(&world, PATH, 404, "checkpoints-disabled").await;
    assert_eq!(
        world.anonymous().post(PATH).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(world.runtime_calls(), 0);
}
