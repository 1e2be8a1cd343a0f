//! Policies as components: who decides, what is recorded, what happens when one fails, and how they change.

use std::path::{Path, PathBuf};

use http::StatusCode;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::client::admin;
use crate::support::world::{PATH, set, write};
use crate::support::{Gateway, Receiver, World, in_time};

/// The component of one of the project's own policies.
pub fn component(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../policies/{name}/{name}.wasm"))
}

/// `[[policies]]` with these, and no allow list.
pub fn governed(config: &mut toml::Table, policies: &Value) {
    config.remove("authorization");
    let mut policies = policies.clone();
    for policy in policies.as_array_mut().unwrap() {
        // Answers are tested here, not deadlines, which a slow machine can miss.
        policy["limits"] = json!({ "deadline-milliseconds": 20_000 });
    }
    let policies = toml::Value::try_from(policies).unwrap();
    config.insert("policies".to_owned(), policies);
}

pub fn allowlist(namespaces: &[&str]) -> Value {
    json!({
        "name": "namespaces",
        "file": component("namespace-allowlist"),
        "settings": { "namespaces": namespaces },
    })
}

async fn governed_by(policies: Value) -> World {
    World::with(|config| {
        let cache = config["audit"]["file"]
            .as_str()
            .unwrap()
            .replace("audit.log", "compiled");
        set(config, "policy-engine.cache-directory", cache);
        governed(config, &policies);
    })
    .await
}

/// Writes the configuration anew and waits until the gateway has said what it thinks of it.
async fn reconfigure(world: &World, config: &toml::Table, message: &str) -> Value {
    let before = world.gateway.log().len();
    write(world.directory.path(), config);
    world.gateway.signal(Signal::HUP);
    let message = message.to_owned();
    world
        .gateway
        .logged_after(before, move |line| {
            line["message"]
                .as_str()
                .is_some_and(|m| m.starts_with(&message))
        })
        .await
}

async fn ready(world: &World) -> String {
    String::from_utf8(
        admin(world.gateway.admin, "/readyz?verbose")
            .await
            .body
            .to_vec(),
    )
    .unwrap()
}

#[tokio::test]
async fn a_component_decides_and_its_verdict_goes_on_record() {
    let receiver = Receiver::start().await;
    let endpoint = format!("http://{}", receiver.grpc);
    let world = World::with(|config| {
        set(config, "telemetry.otlp-endpoint", endpoint);
        set(config, "policy-engine.cache-directory", "");
        governed(config, &json!([allowlist(&["shop"])]));
    })
    .await;
    assert_eq!(
        world.client("anybody").post(PATH).await.status,
        StatusCode::OK
    );
    let verdict = &world.audit()[0]["verdicts"][0];
    assert_eq!(
        (
            &verdict["policy"],
            &verdict["decision"],
            &verdict["generation"]
        ),
        (&"namespaces".into(), &"allow".into(), &1.into())
    );
    assert_eq!(
        verdict["digest"],
        crate::storage::sha256sum(&component("namespace-allowlist"))
    );
    assert!(verdict["memory_bytes"].as_u64().unwrap() > 0, "{verdict}");
    let spans = receiver
        .wait(|spans| spans.iter().any(|seen| seen.span.name == "policy"))
        .await;
    let span = spans
        .iter()
        .find(|seen| seen.span.name == "policy")
        .unwrap();
    assert_eq!(
        span.attribute("checkpoint_gateway.policy.namespaces"),
        "allow"
    );
    let counted = "checkpoint_gateway_policy_verdicts_total{policy=\"namespaces\",verdict=\"allow\",code=\"\"}";
    world.gateway.counted(counted, 1.0).await;
}

#[tokio::test]
async fn a_denial_names_the_policy_and_its_reason() {
    let world = governed_by(json!([allowlist(&["bank"])])).await;
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (403, "denied")
    );
    assert_eq!(answer.json()["policy"], "namespaces");
    assert_eq!(world.node.checkpoint_calls(), 0);
}

#[tokio::test]
async fn a_policy_is_asked_only_about_what_it_is_bound_to() {
    let mut elsewhere = allowlist(&["nowhere"]);
    elsewhere["name"] = "elsewhere".into();
    elsewhere["namespaces"] = json!(["bank"]);
    let world = governed_by(json!([allowlist(&["shop"]), elsewhere])).await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    assert_eq!(world.audit()[0]["verdicts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_monitored_is_recorded_and_changes_nothing() {
    let mut monitored = allowlist(&["bank"]);
    monitored["name"] = "tomorrow".into();
    monitored["mode"] = "monitor".into();
    let world = governed_by(json!([allowlist(&["shop"]), monitored])).await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    let verdict = &world.audit()[0]["verdicts"][1];
    assert_eq!(
        (&verdict["policy"], &verdict["monitored"]),
        (&"tomorrow".into(), &true.into())
    );
    assert!(verdict["decision"]["deny"].is_object(), "{verdict}");
}

#[tokio::test]
async fn a_broken_policy_denies_only_what_it_is_bound_to() {
    let broken = json!({ "name": "broken", "file": "/nonexistent.wasm", "namespaces": ["bank"] });
    let world = governed_by(json!([allowlist(&["shop", "bank"]), broken])).await;
    let bank = gateway_node::Pod::new(
        "bank",
        "vault",
        [gateway_node::ContainerSpec::new(
            "app",
            ["/bin/sleep", "1000"],
        )],
    );
    world.node.run_pod(bank).await.unwrap();
    let denied = world
        .client("alice")
        .post("/checkpoint/bank/vault/app")
        .await;
    assert_eq!(
        (denied.status.as_u16(), &denied.json()["denial"]),
        (403, &"policy-missing".into())
    );
    assert_eq!(denied.json()["policy"], "broken");
    assert_eq!(world.node.checkpoint_calls(), 0);
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    let ready = ready(&world).await;
    assert!(
        ready.contains(
            "policy broken cannot be loaded, so requests bound to it are denied: policy-missing"
        ),
        "{ready}"
    );
    assert_eq!(
        world
            .gateway
            .counted("checkpoint_gateway_policies_broken", 1.0)
            .await
            .to_string(),
        "1"
    );
}

#[tokio::test]
async fn strict_refuses_to_start_with_a_broken_policy() {
    let world = World::new().await;
    let mut config = world.config.clone();
    let other = tempfile::tempdir().unwrap();
    set(
        &mut config,
        "audit.file",
        other.path().join("audit.log").to_str().unwrap(),
    );
    set(
        &mut config,
        "checkpoints.directory",
        other.path().join("checkpoints").to_str().unwrap(),
    );
    set(&mut config, "policy-engine.strict", true);
    set(&mut config, "policy-engine.cache-directory", "");
    governed(
        &mut config,
        &json!([{ "name": "broken", "file": "/nonexistent.wasm" }]),
    );
    let Err(said) = Gateway::try_start(&write(other.path(), &config)).await else {
        panic!("it started")
    };
    assert!(
        said.join("\n")
            .contains("policy `broken` cannot be loaded (policy-missing)"),
        "{said:?}"
    );
}

#[tokio::test]
async fn new_policies_come_into_force_without_a_restart() {
    let world = governed_by(json!([allowlist(&["shop"])])).await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    let mut config = world.config.clone();
    governed(&mut config, &json!([allowlist(&["bank"])]));
    let taken = reconfigure(&world, &config, "the new policies are active").await;
    assert!(taken["generation"].as_u64().unwrap() >= 2, "{taken}");
    assert_eq!(world.client("alice").post(PATH).await.code(), "denied");
    let outcome = world.audit().pop().unwrap();
    assert!(
        outcome["verdicts"][0]["generation"].as_u64().unwrap() >= 2,
        "{outcome}"
    );
}

#[tokio::test]
async fn a_busy_folder_does_not_delay_new_policies_for_ever() {
    let mut world = governed_by(json!([allowlist(&["bank"])])).await;
    let noise = world.directory.path().join("noise");
    let writer = tokio::spawn(async move {
        loop {
            std::fs::write(&noise, "").unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::FORBIDDEN
    );
    governed(&mut world.config, &json!([allowlist(&["shop"])]));
    write(world.directory.path(), &world.config);
    world
        .gateway
        .logged(|line| line["message"] == "the new policies are active")
        .await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    writer.abort();
}

#[tokio::test]
async fn a_bad_candidate_never_replaces_what_is_in_force() {
    let world = governed_by(json!([allowlist(&["shop"])])).await;
    let mut config = world.config.clone();
    governed(
        &mut config,
        &json!([allowlist(&["bank"]), { "name": "broken", "file": "/nonexistent.wasm" }]),
    );
    reconfigure(&world, &config, "rejected the new configuration").await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    let ready = ready(&world).await;
    assert!(
        ready.contains("the last reload was rejected: policy `broken`"),
        "{ready}"
    );
    world
        .gateway
        .counted("checkpoint_gateway_reloads_rejected_total", 1.0)
        .await;
    std::fs::write(world.directory.path().join("config.toml"), "no = [toml").unwrap();
    world.gateway.signal(Signal::HUP);
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    reconfigure(&world, &world.config, "the new policies are active").await;
    assert!(
        !self::ready(&world).await.contains("was rejected"),
        "a good one clears it"
    );
}

#[tokio::test]
async fn a_symlink_that_is_swapped_as_kubernetes_does_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let publish = |version: &str, policy: &str| {
        let data = folder.path().join(version);
        std::fs::create_dir(&data).unwrap();
        std::fs::copy(component(policy), data.join("policy.wasm")).unwrap();
        let next = folder.path().join("..next");
        std::os::unix::fs::symlink(version, &next).unwrap();
        std::fs::rename(next, folder.path().join("..data")).unwrap();
    };
    publish("..1", "namespace-allowlist");
    let file = folder.path().join("policy.wasm");
    std::os::unix::fs::symlink("..data/policy.wasm", &file).unwrap();
    let world =
        governed_by(json!([{ "name": "p", "file": file, "settings": { "namespaces": ["shop"] } }]))
            .await;
    let before = crate::storage::sha256sum(&component("namespace-allowlist"));
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    assert_eq!(world.audit()[0]["verdicts"][0]["digest"], before);
    let logged = world.gateway.log().len();
    // Another policy that takes no such settings: that it is refused shows that it was seen.
    publish("..2", "redact-environment");
    let said = world
        .gateway
        .logged_after(logged, |line| {
            line["message"]
                .as_str()
                .is_some_and(|m| m.contains("rejected the new configuration"))
        })
        .await;
    assert!(
        said["cause"].as_str().unwrap().contains("policy-settings"),
        "{said}"
    );
}

#[tokio::test]
async fn reloads_under_load_fail_no_request() {
    let world = governed_by(json!([allowlist(&["shop"]), { "name": "again", "file": component("namespace-allowlist"), "settings": { "namespaces": ["shop"] } }])).await;
    // A container that does not exist would not be judged; one that denies is, and costs no checkpoint.
    let mut denying = world.config.clone();
    governed(
        &mut denying,
        &json!([allowlist(&["shop"]), { "name": "again", "file": component("namespace-allowlist"), "settings": { "namespaces": ["bank"] } }]),
    );
    let load = async {
        for _ in 0..50 {
            let answer = world.client("alice").post(PATH).await;
            assert!([200, 403].contains(&answer.status.as_u16()), "{answer:?}");
        }
    };
    let swaps = async {
        for round in 0..20 {
            let config = if round % 2 == 0 {
                &denying
            } else {
                &world.config
            };
            reconfigure(&world, config, "the new policies are active").await;
        }
    };
    in_time(async { tokio::join!(load, swaps) }).await;
    for record in world.audit() {
        let generations: std::collections::BTreeSet<_> = record["verdicts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|verdict| verdict["generation"].to_string())
            .collect();
        assert_eq!(generations.len(), 1, "{record}");
    }
}
