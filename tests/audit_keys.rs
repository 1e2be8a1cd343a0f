//! The key that signs the audit log, changed and taken away while requests are served.

use std::path::{Path, PathBuf};

use http::StatusCode;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::audit_inspection::printed;
use crate::support::World;
use crate::support::world::{PATH, set, write};

/// A new key in `file`, and its public half beside it.
fn make_key(file: &Path) -> PathBuf {
    let public = file.with_extension("pem");
    std::fs::write(&public, printed("keygen", &[file.to_str().unwrap()])).unwrap();
    public
}

async fn signed() -> (World, PathBuf) {
    let mut public = PathBuf::new();
    let world = World::with(|config| {
        let key = PathBuf::from(config["audit"]["file"].as_str().unwrap()).with_file_name("a.key");
        public = make_key(&key);
        set(config, "audit.key-file", key.to_str().unwrap());
    })
    .await;
    (world, public)
}

/// Has the gateway read its configuration anew and waits until it has said what it thinks of it.
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

async fn take(world: &World) {
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
    let log = world.directory.path().join("audit.log");
    let arguments = [
        "--key",
        key.to_str().unwrap(),
        "--output",
        "json",
        log.to_str().unwrap(),
    ];
    serde_json::from_str(&printed("verify", &arguments)).unwrap()
}

const TAKEN: &str = "the new policies are active";

#[tokio::test]
async fn reload_changes_the_key_and_the_old_one_vouches_for_it() {
    let (mut world, old) = signed().await;
    take(&world).await;
    let key = world.directory.path().join("b.key");
    let new = make_key(&key);
    set(&mut world.config, "audit.key-file", key.to_str().unwrap());
    let said = reload(&world, "the key that signs the audit log has changed").await;
    take(&world).await;
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
async fn a_key_in_the_same_file_is_taken_as_soon_as_it_can_be_used() {
    let (world, old) = signed().await;
    let (fresh, key) = (
        world.directory.path().join("fresh"),
        world.directory.path().join("a.key"),
    );
    make_key(&fresh);
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
    take(&world).await;
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    world
        .gateway
        .logged_after(before, |line| line["message"] == TAKEN)
        .await;
    assert_eq!(
        events(&world)
            .iter()
            .filter(|event| *event == "key")
            .count(),
        2
    );
    take(&world).await;
    assert_eq!(verified(&world, &old)["trust"], "given");
}

#[tokio::test]
async fn a_key_that_is_taken_away_is_on_record_with_its_own_word() {
    let (mut world, key) = signed().await;
    take(&world).await;
    set(&mut world.config, "audit.key-file", "");
    reload(&world, TAKEN).await;
    take(&world).await;
    let removal = world
        .audit()
        .into_iter()
        .find(|record| record["event"] == "key-removed")
        .unwrap();
    assert!(removal["signature"].is_string(), "{removal}");
    stop(&mut world).await;
    let world = world.restarted().await;
    take(&world).await;
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
    let log = world.directory.path().join("audit.log");
    let text = printed("verify", &[log.to_str().unwrap()]);
    assert!(
        text.contains(&format!("taken away at seq {}", removal["seq"])),
        "{text}"
    );
}

#[tokio::test]
async fn an_unusable_key_rejects_the_whole_reload() {
    let (mut world, _) = signed().await;
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
    take(&world).await;
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
