//! The key that signs the audit log is changed and removed while requests are served.

use std::path::Path;

use http::StatusCode;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::audit_inspection::printed;
use crate::support::World;
use crate::support::world::{PATH, make_key, set, write};

/// Lets the gateway reload its configuration, and waits for the log line `message`.
async fn reload(world: &World, message: &str) -> Value {
    let before = world.gateway.log().len();
    write(world.directory.path(), &world.config);
    world.gateway.signal(Signal::HUP);
    world
        .gateway
        .logged_after(before, |line| line["message"] == message)
        .await
}

async fn stop(world: &mut World) {
    world.gateway.signal(Signal::TERM);
    world.gateway.wait().await;
}

async fn capture(world: &World) {
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
}

fn events(world: &World) -> Vec<String> {
    world
        .audit()
        .iter()
        .map(|record| record["event"].as_str().unwrap().to_owned())
        .collect()
}

fn verified(world: &World, key: &Path) -> Value {
    let log = world.audit_log();
    let arguments = [
        "--key",
        key.to_str().unwrap(),
        "--output",
        "json",
        log.to_str().unwrap(),
    ];
    serde_json::from_str(&printed("verify", &arguments)).unwrap()
}

const RELOADED: &str = "the new policies are active";

#[tokio::test]
async fn reload_changes_the_key_and_the_old_one_vouches() {
    let mut world = World::signed(|_| {}).await;
    let old = world.public_key();
    capture(&world).await;
    let key = world.directory.path().join("b.key");
    let new = make_key(&key);
    set(&mut world.config, "audit.key-file", key.to_str().unwrap());
    let said = reload(&world, "the key that signs the audit log has changed").await;
    capture(&world).await;
    let change = world
        .audit()
        .into_iter()
        .rfind(|record| record["event"] == "key")
        .unwrap();
    assert_eq!(change["key"], said["key"], "the log line names it");
    assert!(change["signature"].is_string(), "{change}");
    stop(&mut world).await;
    for key in [&old, &new] {
        let found = verified(&world, key);
        assert_eq!(
            (&found["trust"], &found["unproven"]),
            (&json!("given"), &json!([])),
            "{found}"
        );
        assert_eq!(found["signed"]["key"], said["key"]);
    }
}

#[tokio::test]
async fn replaced_key_file_is_used_once_it_is_valid() {
    let world = World::signed(|_| {}).await;
    let old = world.public_key();
    let (fresh, key) = (
        world.directory.path().join("fresh"),
        world.directory.path().join("audit.key"),
    );
    make_key(&fresh);
    // The gateway begins to watch its files after it has begun to serve.
    capture(&world).await;
    let before = world.gateway.log().len();
    std::fs::set_permissions(&fresh, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::rename(&fresh, &key).unwrap();
    let refused = world
        .gateway
        .logged_after(before, |line| line["cause"].is_string())
        .await;
    assert!(
        refused["cause"].as_str().unwrap().contains("chmod 600"),
        "{refused}"
    );
    capture(&world).await;
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    world
        .gateway
        .logged_after(before, |line| line["message"] == RELOADED)
        .await;
    assert_eq!(
        events(&world)
            .iter()
            .filter(|event| *event == "key")
            .count(),
        2
    );
    capture(&world).await;
    assert_eq!(verified(&world, &old)["trust"], "given");
}

#[tokio::test]
async fn removal_of_the_key_is_recorded_and_signed() {
    let mut world = World::signed(|_| {}).await;
    let key = world.public_key();
    capture(&world).await;
    set(&mut world.config, "audit.key-file", "");
    reload(&world, RELOADED).await;
    capture(&world).await;
    let removal = world
        .audit()
        .into_iter()
        .find(|record| record["event"] == "key-removed")
        .unwrap();
    assert!(removal["signature"].is_string(), "{removal}");
    stop(&mut world).await;
    let world = world.restarted().await;
    capture(&world).await;
    assert_eq!(
        events(&world)
            .iter()
            .filter(|event| *event == "key-removed")
            .count(),
        1
    );
    let found = verified(&world, &key);
    assert_eq!(
        (&found["keyless"], &found["unproven"]),
        (&removal["seq"], &json!([])),
        "{found}"
    );
    let log = world.audit_log();
    let text = printed("verify", &[log.to_str().unwrap()]);
    assert!(
        text.contains(&format!("removed at seq {}", removal["seq"])),
        "{text}"
    );
}

#[tokio::test]
async fn unusable_key_leaves_the_whole_configuration() {
    let mut world = World::signed(|_| {}).await;
    set(
        &mut world.config,
        "audit.key-file",
        world.directory.path().join("missing").to_str().unwrap(),
    );
    world.config["authorization"] = toml::toml! { allow = [{ users = ["mallory"] }] }.into();
    let said = reload(
        &world,
        "rejected the new configuration; the old policies stay active",
    )
    .await;
    assert!(
        said["cause"].as_str().unwrap().contains("missing"),
        "{said}"
    );
    capture(&world).await;
    assert_eq!(
        world.client("mallory").post(PATH).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        events(&world)
            .iter()
            .filter(|event| event.starts_with("key"))
            .count(),
        1
    );
}
