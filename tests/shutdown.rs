//! SIGTERM: no new requests, what runs may finish.

use gateway_node::{Fault, Gate, Method as Rpc, Moment};
use http::StatusCode;
use rustix::process::Signal;

use crate::support::client::admin;
use crate::support::world::{PATH, set};
use crate::support::{World, in_time};

fn is_stopping(line: &serde_json::Value) -> bool {
    line["message"]
        .as_str()
        .is_some_and(|message| message.starts_with("stopping"))
}

#[tokio::test]
async fn a_stop_lets_a_running_checkpoint_finish() {
    let mut world = World::new().await;
    let gate = Gate::closed();
    world
        .node
        .behave(Fault::Hold(Moment::BeforeDump, gate.clone()));
    let client = world.client("alice");
    let stop = async {
        in_time(
            world
                .node
                .wait_for_calls(|calls| calls.of(Rpc::CheckpointContainer) == 1),
        )
        .await;
        world.gateway.signal(Signal::TERM);
        world.gateway.logged(is_stopping).await;
        let ready = admin(world.gateway.admin, "/readyz").await;
        assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            String::from_utf8_lossy(&ready.body).contains("[-]shutdown failed"),
            "{ready:?}"
        );
        assert_eq!(
            admin(world.gateway.admin, "/livez").await.status,
            StatusCode::OK
        );
        assert!(
            world.client("alice").connect().await.is_err(),
            "a new connection was taken"
        );
        gate.open();
    };
    let (answer, ()) = tokio::join!(client.post(PATH), stop);
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(world.gateway.wait().await.code(), Some(0));
    assert_eq!(world.published().len(), 2);
}

#[tokio::test]
async fn a_checkpoint_whose_caller_left_finishes_too() {
    let mut world = World::new().await;
    let gate = Gate::closed();
    world
        .node
        .behave(Fault::Hold(Moment::BeforeDump, gate.clone()));
    let begun = world
        .node
        .wait_for_calls(|calls| calls.of(Rpc::CheckpointContainer) == 1);
    world
        .client("alice")
        .abandon(PATH, async { drop(begun.await) })
        .await;
    world.gateway.signal(Signal::INT);
    world.gateway.logged(is_stopping).await;
    gate.open();
    assert_eq!(world.gateway.wait().await.code(), Some(0));
    assert_eq!(world.published().len(), 2);
}

#[tokio::test]
async fn records_a_checkpoint_that_outlasts_the_drain() {
    let mut world = World::with(|config| set(config, "limits.drain-seconds", 1)).await;
    let gate = Gate::closed();
    world
        .node
        .behave(Fault::Hold(Moment::BeforeDump, gate.clone()));
    let begun = world
        .node
        .wait_for_calls(|calls| calls.of(Rpc::CheckpointContainer) == 1);
    world
        .client("alice")
        .abandon(PATH, async { drop(begun.await) })
        .await;
    world.gateway.signal(Signal::TERM);
    world
        .gateway
        .logged(|line| line["level"] == "ERROR" && line["checkpoints"] == 1)
        .await;
    assert_eq!(world.gateway.wait().await.code(), Some(4));
    assert_eq!(world.published(), Vec::<String>::new());
    let [intent, outcome] = world.audit().try_into().unwrap();
    assert_eq!(
        (&intent["event"], &outcome["event"]),
        (&"intent".into(), &"outcome".into())
    );
    assert_eq!(
        (&outcome["status"], &outcome["code"]),
        (&503.into(), &"cut-short".into())
    );
    gate.open();
}

#[tokio::test]
async fn aborts_a_download_that_outlasts_the_drain() {
    let mut world = World::with(|config| set(config, "limits.drain-seconds", 1)).await;
    world.node.behave(Fault::ExtraPages(64 << 20)); // more than lies on the way to a caller who does not read
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    let id = world.audit()[1]["checkpoint_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let head = world
        .client("alice")
        .begin(&format!("/v1/checkpoints/{id}/archive"))
        .await;
    assert_eq!(head.status(), StatusCode::OK);
    world.gateway.signal(Signal::TERM);
    assert_eq!(world.gateway.wait().await.code(), Some(0));
    let outcome = world.audit().pop().unwrap();
    assert_eq!(
        (&outcome["action"], &outcome["code"]),
        (&"download".into(), &"cut-short".into())
    );
    assert!(outcome["bytes"].as_u64().unwrap() < 64 << 20, "{outcome}");
}

#[tokio::test]
async fn readiness_names_what_is_not_ready() {
    let world = World::new().await;
    let ready = admin(world.gateway.admin, "/readyz").await;
    assert_eq!(
        (ready.status, &ready.body[..]),
        (StatusCode::OK, &b"ok\n"[..])
    );
    let verbose = admin(world.gateway.admin, "/readyz?verbose").await;
    let expected = "[+]runtime ok\n[+]store ok\n[+]audit ok\n[+]shutdown ok\nreadyz check passed\n";
    assert_eq!(String::from_utf8_lossy(&verbose.body), expected);
    let World { gateway, node, .. } = world;
    node.stop().await;
    let down = admin(gateway.admin, "/readyz").await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        String::from_utf8_lossy(&down.body).contains("[-]runtime failed: "),
        "{down:?}"
    );
    assert_eq!(
        admin(gateway.admin, "/livez").await.status,
        StatusCode::OK,
        "a runtime that is down is no reason to restart"
    );
}

#[tokio::test]
async fn a_gateway_outlives_a_restart_of_the_runtime() {
    let mut world = World::new().await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    let directory = tempfile::tempdir().unwrap();
    let old = std::mem::replace(
        &mut world.node,
        crate::support::world::start_node(directory.path()).await,
    );
    let socket = old.socket().to_path_buf();
    old.stop().await;
    assert_eq!(
        world.client("alice").post(PATH).await.code(),
        "runtime-unavailable"
    );
    let state = directory.path().join("again");
    world.node = gateway_node::Node::start(gateway_node::Options::new(socket, state))
        .await
        .unwrap();
    world
        .node
        .run_pod(crate::support::world::pod("cart-0"))
        .await
        .unwrap();
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
}
