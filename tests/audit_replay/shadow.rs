//! Shadow policies, which a gateway asks without obeying them.

use http::StatusCode;
use serde_json::{Value, json};

use crate::policies::{allowlist, component, governed};
use crate::support::World;
use crate::support::world::{PATH, pod, set};

/// A world whose shadow has these policies.
async fn shadowed(policies: &Value, shadow: &Value) -> World {
    World::with(|config| {
        set(config, "policy-engine.cache-directory", "");
        governed(config, policies);
        shade(config, shadow);
    })
    .await
}

/// Policies in the shadow, with time enough.
fn shade(config: &mut toml::Table, shadow: &Value) {
    let mut shadow = shadow.clone();
    for policy in shadow.as_array_mut().unwrap() {
        policy["limits"] = json!({ "deadline-milliseconds": 20_000 });
    }
    set(
        config,
        "shadow.policies",
        toml::Value::try_from(shadow).unwrap(),
    );
}

async fn counted(world: &World, result: &str, least: f64) {
    world
        .gateway
        .counted(
            &format!("checkpoint_gateway_shadow_requests_total{{result=\"{result}\"}}"),
            least,
        )
        .await;
}

/// The records of the shadow, once there are so many.
async fn shadows(world: &World, count: usize) -> Vec<Value> {
    crate::support::in_time(async {
        loop {
            let shadows: Vec<_> = world
                .audit()
                .into_iter()
                .filter(|record| record["event"] == "shadow")
                .collect();
            if shadows.len() >= count {
                return shadows;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test]
async fn shadow_policies_see_requests_and_never_decide() {
    let world = shadowed(
        &json!([allowlist(&["shop"])]),
        &json!([allowlist(&["bank"])]),
    )
    .await;
    let mut bank = pod("vault");
    "bank".clone_into(&mut bank.namespace);
    world.node.run_pod(bank).await.unwrap();
    let allowed = world.client("alice").post(PATH).await;
    assert_eq!(allowed.status, StatusCode::OK);
    counted(&world, "now-denied", 1.0).await;
    let denied = world
        .client("alice")
        .post("/checkpoint/bank/vault/app")
        .await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    counted(&world, "now-allowed", 1.0).await;
    let records = shadows(&world, 2).await;
    assert_eq!(
        crate::audit_records::violations(&world.audit()),
        Vec::<String>::new()
    );
    let [first, second] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(
        (&first["difference"], &first["request_id"]),
        (&"now-denied".into(), &allowed.header("x-request-id").into())
    );
    assert_eq!(
        (&second["difference"], &second["target"]["namespace"]),
        (&"now-allowed".into(), &"bank".into())
    );
    assert_eq!(first["verdicts"][0]["policy"], "namespaces");
    let line = world
        .gateway
        .logged(|line| line["message"] == "the shadow policies differ")
        .await;
    assert_eq!(
        (&line["result"], &line["policy"]),
        (&"now-denied".into(), &"namespaces".into())
    );
    let log = world.directory.path().join("audit.log");
    let told = crate::audit_inspection::printed(
        "explain",
        &[allowed.header("x-request-id"), log.to_str().unwrap()],
    );
    assert!(
        told.contains("The shadow policies decide otherwise: now-denied."),
        "{told}"
    );
}

#[tokio::test]
async fn shadow_compares_plans_and_access_and_counts_agreement() {
    let redactor = |settings: Value| json!({ "name": "secrets", "file": component("redact-secrets"), "settings": settings });
    let first = json!([allowlist(&["shop"]), redactor(json!({}))]);
    let second = json!([
        allowlist(&["shop"]),
        redactor(json!({ "drop": ["container.log"] }))
    ]);
    let world = shadowed(&first, &second).await;
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK);
    counted(&world, "plan-changed", 1.0).await;
    let path = answer.json()["items"][0].as_str().unwrap().to_owned();
    let id = crate::storage::metadata(path.as_ref())["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        world
            .client("alice")
            .get(&format!("/v1/checkpoints/{id}"))
            .await
            .status,
        StatusCode::OK
    );
    counted(&world, "same", 1.0).await;
    assert_eq!(shadows(&world, 1).await.len(), 1);
}

#[tokio::test]
async fn reload_changes_shadow_policies_and_a_broken_one_is_harmless() {
    let world = shadowed(&json!([allowlist(&["shop"])]), &json!([])).await;
    let mut config = world.config.clone();
    shade(
        &mut config,
        &json!([{ "name": "gone", "file": "/nonexistent.wasm" }]),
    );
    let before = world.gateway.log().len();
    crate::support::world::write(world.directory.path(), &config);
    world.gateway.signal(rustix::process::Signal::HUP);
    let taken = |line: &Value| line["message"] == "the new policies are active";
    world.gateway.logged_after(before, taken).await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    counted(&world, "now-denied", 1.0).await;
    assert_eq!(
        shadows(&world, 1).await[0]["verdicts"][0]["decision"]["deny"]["code"],
        "policy-missing"
    );
}
