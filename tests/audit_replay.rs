//! Decisions that are made again: by the same policies, by others, and in the shadow.

mod shadow;

use std::path::{Path, PathBuf};

use http::StatusCode;
use serde_json::{Value, json};

use crate::audit_inspection::audit;
use crate::policies::{allowlist, component, governed};
use crate::support::World;
use crate::support::world::{PATH, pod, set};

/// The project's own policies, all at once; the redactors hide what `secrets` says.
fn all(namespaces: &[&str], secrets: &Value) -> Value {
    let policy = |name: &str, settings: Value| json!({ "name": name, "file": component(name), "settings": settings });
    let rule = json!({ "name": "all", "users": ["alice", "bob"], "actions": ["create", "list", "inspect", "delete"], "namespaces": ["*"] });
    json!([
        allowlist(namespaces),
        policy("group-rbac", json!({ "rules": [rule] })),
        policy("redact-environment", json!({})),
        policy("redact-secrets", secrets.clone()),
    ])
}

async fn governed_by(policies: &Value) -> World {
    let world = World::with(|config| {
        set(config, "policy-engine.cache-directory", "");
        governed(config, policies);
    })
    .await;
    let mut bank = pod("vault");
    "bank".clone_into(&mut bank.namespace);
    world.node.run_pod(bank).await.unwrap();
    world
}

/// A file with only what is about policies.
fn policies_file(directory: &Path, name: &str, policies: &Value) -> PathBuf {
    let mut table = toml::Table::new();
    table.insert(
        "policies".to_owned(),
        toml::Value::try_from(policies).unwrap(),
    );
    let path = directory.join(name);
    std::fs::write(&path, toml::to_string(&table).unwrap()).unwrap();
    path
}

/// The lines of a replay; the last is the sum.
fn replay(world: &World, policies: &Path, exit: i32) -> (Vec<Value>, Value) {
    let log = world.directory.path().join("audit.log");
    let arguments = [
        log.to_str().unwrap(),
        "--policies",
        policies.to_str().unwrap(),
        "--output",
        "json",
    ];
    let output = audit("replay", &arguments);
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let sum = lines.pop().unwrap();
    (lines, sum)
}

/// Requests of every kind: allowed, denied by each, about checkpoints that exist.
async fn used(world: &World) {
    let answer = world
        .client("alice")
        .with_header("x-checkpoint-reason", "because")
        .post(PATH)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let path = answer.json()["items"][0].as_str().unwrap().to_owned();
    let id = crate::storage::metadata(path.as_ref())["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        world
            .client("alice")
            .post("/checkpoint/bank/vault/app")
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world.client("mallory").post(PATH).await.status,
        StatusCode::FORBIDDEN
    );
    let checkpoint = format!("/v1/checkpoints/{id}");
    assert_eq!(
        world.client("bob").get(&checkpoint).await.status,
        StatusCode::OK
    );
    assert_eq!(
        world
            .client("bob")
            .get(&format!("{checkpoint}/archive"))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world.client("bob").get("/v1/checkpoints").await.status,
        StatusCode::OK
    );
    assert_eq!(
        world
            .client("alice")
            .send(http::Method::DELETE, &checkpoint)
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    world.anonymous().get("/v1/whoami").await;
}

#[tokio::test]
async fn the_same_policies_come_to_the_same() {
    let policies = all(&["shop"], &json!({ "drop": ["container.log"] }));
    let world = governed_by(&policies).await;
    used(&world).await;
    let whole = world.directory.path().join("config.toml");
    let alone = policies_file(world.directory.path(), "alone.toml", &policies);
    for file in [whole, alone] {
        let (differences, sum) = replay(&world, &file, 0);
        assert_eq!(differences, Vec::<Value>::new());
        assert_eq!(
            (&sum["compared"], &sum["not-comparable"]["lists"]),
            (&6.into(), &1.into()),
            "{sum}"
        );
    }
}

#[tokio::test]
async fn other_policies_show_what_they_would_have_decided_otherwise() {
    let world = governed_by(&all(&["shop"], &json!({ "drop": ["container.log"] }))).await;
    used(&world).await;
    let folder = world.directory.path().join("next");
    std::fs::create_dir(&folder).unwrap();
    let mut next = all(&["shop", "bank"], &json!({}));
    let policies = next.as_array_mut().unwrap();
    for policy in policies.iter_mut() {
        // From the folder: a file's own place does not matter then.
        let file = PathBuf::from(policy["file"].as_str().unwrap());
        std::fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
        policy["file"] = file.file_name().unwrap().to_str().unwrap().into();
    }
    let mut strict = policies[0].clone();
    strict["name"] = "no-deletion".into();
    strict["actions"] = json!(["delete"]);
    strict["settings"] = json!({ "namespaces": ["nowhere"] });
    policies.push(strict);
    policies_file(&folder, "policies.toml", &next);
    let (differences, sum) = replay(&world, &folder, 2);
    let told: Vec<_> = differences
        .iter()
        .map(|line| {
            [
                &line["difference"],
                &line["action"],
                &line["target"]["namespace"],
            ]
            .map(|word| word.as_str().unwrap())
        })
        .collect();
    let expected = [
        ["plan-changed", "create", "shop"],
        ["now-allowed", "create", "bank"],
        ["now-denied", "delete", "shop"],
    ];
    assert_eq!(told, expected, "{sum}");
    assert_eq!(differences[2]["verdicts"][2]["policy"], "no-deletion");
    let log = world.directory.path().join("audit.log");
    let text = audit(
        "replay",
        &[
            log.to_str().unwrap(),
            "--policies",
            folder.to_str().unwrap(),
        ],
    );
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("no-deletion: ")
            && text.contains("1 now allowed, 1 now denied, 1 with another plan"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_hidden_is_not_compared() {
    let policies = all(&["shop"], &json!({ "hide": ["identity.user"] }));
    let world = governed_by(&policies).await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    let other = policies_file(
        world.directory.path(),
        "none.toml",
        &json!([allowlist(&["nowhere"])]),
    );
    let (differences, sum) = replay(&world, &other, 0);
    assert_eq!(
        (
            differences,
            &sum["compared"],
            &sum["not-comparable"]["hidden"]
        ),
        (Vec::new(), &0.into(), &1.into())
    );
}

#[test]
fn policies_that_cannot_be_loaded_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit.log");
    std::fs::write(&log, "").unwrap();
    let said = |policies: &Path, exit: i32| {
        let output = audit(
            "replay",
            &[
                log.to_str().unwrap(),
                "--policies",
                policies.to_str().unwrap(),
            ],
        );
        assert_eq!(output.status.code(), Some(exit), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = json!([{ "name": "gone", "file": "/nonexistent.wasm" }]);
    let text = said(&policies_file(directory.path(), "a.toml", &missing), 1);
    assert!(
        text.contains("policy `gone` cannot be loaded (policy-missing)"),
        "{text}"
    );
    let wrong = directory.path().join("b.toml");
    std::fs::write(&wrong, "[[policy]]\nname = \"a\"\n").unwrap();
    assert!(said(&wrong, 1).contains("unknown field `policy`"));
    std::fs::write(&wrong, "").unwrap();
    assert!(said(&wrong, 1).contains("has no policies"));
    std::fs::write(&wrong, "[tls]\ncertificat = \"a\"\n").unwrap();
    assert!(said(&wrong, 3).contains("did you mean `certificate`?"));
    assert!(said(directory.path(), 1).contains("policies.toml"));
}
