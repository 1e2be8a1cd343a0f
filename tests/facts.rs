//! Secrets in labels, annotations, reasons and command lines: masked in all output, whole for the policies.

use std::path::PathBuf;

use gateway_node::{ContainerSpec, Pod};
use http::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::audit_inspection::{audit, printed};
use crate::policies::{allowlist, component, governed};
use crate::storage::{metadata, mode};
use crate::support::world::set;
use crate::support::{Answer, Receiver, World, in_time};

/// A GitHub token: detectors find it.
const TOKEN: &str = "ghp_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8";
/// In the container's environment: the runtime's own answer teaches it.
const KNOWN: &str = "canary-known-3f1b9c-value";
/// In a process's environment only: nothing but the archive teaches it.
const LEARNT: &str = "canary-learnt-77e0d2-value";
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const PATH: &str = "/checkpoint/shop/vault-0/app";

/// A pod with secrets in its texts. Its process has one more in its environment than its container.
fn pod() -> Pod {
    let script = format!("DB_PASSWORD={LEARNT} exec /bin/sleep 1000");
    let mut app = ContainerSpec::new("app", ["/bin/sh", "-c", &script]);
    app = app.env("PATH", "/usr/bin:/bin").env("API_KEY", KNOWN);
    app.annotations
        .insert("note".to_owned(), format!("started with {KNOWN}"));
    let mut pod = Pod::new("shop", "vault-0", [app]);
    pod.labels.insert("token".to_owned(), TOKEN.to_owned());
    pod.labels.insert("team".to_owned(), "payments".to_owned());
    pod.annotations
        .insert("later".to_owned(), format!("password is {LEARNT}"));
    pod.annotations.insert(APPLIED.to_owned(), "{}".to_owned());
    pod
}

/// Policies under which only a pod whose label is not the token may be downloaded.
fn policies() -> Value {
    let rule = |actions: &[&str], pods: String| json!({ "name": "rule", "users": ["alice"], "namespaces": ["*"], "actions": actions, "pods": pods });
    let rules = [
        rule(
            &["create", "list", "inspect", "hold", "delete"],
            String::new(),
        ),
        rule(&["download"], format!("token!={TOKEN}")),
    ];
    json!([
        { "name": "roles", "file": component("group-rbac"), "settings": { "rules": rules } },
        { "name": "environment", "file": component("redact-environment") },
    ])
}

async fn world(policies: &Value, change: impl FnOnce(&mut toml::Table)) -> World {
    let world = World::with(|config| {
        set(config, "policy-engine.cache-directory", "");
        governed(config, policies);
        change(config);
    })
    .await;
    world.node.run_pod(pod()).await.unwrap();
    // The process has replaced the shell once it has the new variable.
    let pid_of_sleep = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let environments =
            processes.filter_map(|entry| std::fs::read(entry.path().join("environ")).ok());
        environments.into_iter().any(|text| {
            text.windows(LEARNT.len())
                .any(|part| part == LEARNT.as_bytes())
        })
    };
    in_time(async {
        while !pid_of_sleep() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    world
}

/// Takes a checkpoint for a reason with a secret; returns the archive.
async fn take(world: &World) -> PathBuf {
    let reason = format!("leaked {TOKEN} and {KNOWN}");
    let alice = world
        .client("alice")
        .with_header("x-checkpoint-reason", &reason);
    let answer = alice.post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["items"][0].as_str().unwrap().into()
}

fn facts_of(archive: &std::path::Path) -> PathBuf {
    format!("{}.facts", archive.display()).into()
}

fn path_of(archive: &std::path::Path) -> String {
    format!(
        "/v1/checkpoints/{}",
        metadata(archive)["id"].as_str().unwrap()
    )
}

/// Every call about the checkpoint, the last of which removes it; returns the answers.
async fn use_all(world: &World, path: &str) -> Vec<Answer> {
    let alice = world.client("alice");
    let hold = format!("{path}/hold");
    let keeper = alice.with_header("x-checkpoint-reason", &format!("keep {TOKEN}"));
    let mut answers = vec![keeper.send(Method::PUT, &hold).await];
    let alice = world.client("alice");
    answers.push(alice.get("/v1/checkpoints").await);
    answers.push(alice.get(path).await);
    answers.push(alice.get(&format!("{path}/archive")).await);
    answers.push(alice.send(Method::DELETE, &hold).await);
    answers.push(alice.send(Method::DELETE, path).await);
    answers
}

#[tokio::test]
async fn secrets_in_texts_are_masked_in_all_output() {
    let receiver = Receiver::start().await;
    let endpoint = format!("http://{}", receiver.grpc);
    let world = world(&policies(), |config| {
        set(config, "telemetry.otlp-endpoint", endpoint);
        set(config, "telemetry.otlp-audit-log", true);
    })
    .await;
    let archive = take(&world).await;
    let told = metadata(&archive);
    let described = told.to_string();
    let answers = use_all(&world, &path_of(&archive)).await;
    let statuses: Vec<_> = answers
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    assert_eq!(statuses, [200, 200, 200, 403, 204, 204], "{answers:?}");

    let records = world.audit();
    let spans = receiver
        .wait(|spans| {
            spans
                .iter()
                .any(|seen| seen.span.name.starts_with("DELETE /v1/checkpoints/{id}"))
        })
        .await;
    let logs = receiver.wait_for_logs(records.len()).await;
    let log = world.audit_log();
    let log = log.to_str().unwrap();
    let exported = printed("export", &[log, "--format", "ocsf"]) + &printed("show", &[log]);
    let places = [
        ("metadata", described),
        ("answers", format!("{answers:?}")),
        ("spans", format!("{spans:?}")),
        ("logs", format!("{logs:?}")),
        ("log", world.gateway.log().join("\n")),
        ("export", exported),
        ("records", serde_json::to_string(&records).unwrap()),
    ];
    for (place, text) in &places {
        assert!(text.contains("vault-0"), "{place} has nothing in it");
        for secret in [TOKEN, KNOWN] {
            assert!(!text.contains(secret), "{secret} is in {place}: {text}");
        }
    }
    // Before the archive taught it, nobody knew that this was a secret.
    let [_, later @ ..] = records.as_slice() else {
        panic!("{records:?}");
    };
    let later = serde_json::to_string(later).unwrap();
    for text in [&places[0].1, &places[1].1, &later] {
        assert!(!text.contains(LEARNT), "{text}");
    }
    assert!(!world.gateway.log().join("\n").contains(LEARNT));
}

#[tokio::test]
async fn records_name_masked_fields_and_those_told_before() {
    let world = world(&policies(), |_| {}).await;
    let archive = take(&world).await;
    let [intent, outcome] = world.audit().try_into().unwrap();
    let early = ["annotations[note]", "pod-labels[token]", "reason"];
    let late = [
        "annotations[note]",
        "pod-annotations[later]",
        "pod-labels[token]",
        "reason",
    ];
    assert_eq!(intent["masked"], json!(early), "{intent}");
    assert_eq!(
        outcome["told-before"],
        json!(["pod-annotations[later]"]),
        "{outcome}"
    );
    assert_eq!(
        (&outcome["masked"], &metadata(&archive)["masked"]),
        (&json!(late), &json!(late))
    );
    let request = &intent["request"]["target"];
    assert_eq!(request["pod_labels"]["team"], "payments");
    assert_eq!(request["pod"], "vault-0");
    assert_eq!(
        intent["request"]["reason"],
        format!(
            "leaked {} and {}",
            "*".repeat(TOKEN.len()),
            "*".repeat(KNOWN.len())
        )
    );
    assert!(
        request["pod_annotations"].get(APPLIED).is_none(),
        "{request}"
    );
}

#[tokio::test]
async fn later_requests_are_decided_on_unmasked_facts() {
    let mut world = world(&policies(), |_| {}).await;
    let archive = take(&world).await;
    let facts = facts_of(&archive);
    assert_eq!(mode(&facts), 0o600);
    assert!(std::fs::read_to_string(&facts).unwrap().contains(TOKEN));
    let download = format!("{}/archive", path_of(&archive));
    world.gateway.signal(Signal::TERM);
    assert!(world.gateway.wait().await.success());
    let world = world.restarted().await;
    let alice = world.client("alice");
    let answer = alice.get(&download).await;
    assert_eq!(
        answer.status,
        StatusCode::FORBIDDEN,
        "the rule is about the unmasked label"
    );
    // Without them nothing can be decided, so nothing is done or shown.
    std::fs::rename(&facts, facts.with_extension("away")).unwrap();
    for (method, path) in [
        (Method::GET, path_of(&archive)),
        (Method::DELETE, path_of(&archive)),
    ] {
        let answer = alice.send(method, &path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (500, "archive-altered"),
            "{answer:?}"
        );
    }
    assert_eq!(
        alice.get("/v1/checkpoints").await.json()["items"],
        json!([])
    );
    std::fs::rename(facts.with_extension("away"), &facts).unwrap();
    assert_eq!(
        alice.send(Method::DELETE, &path_of(&archive)).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(world.published(), Vec::<String>::new());
}

#[tokio::test]
async fn checkpoints_without_masked_texts_have_two_files() {
    let world = World::new().await;
    let answer = world
        .client("alice")
        .post(crate::support::world::PATH)
        .await;
    let archive: PathBuf = answer.json()["items"][0].as_str().unwrap().into();
    assert!(metadata(&archive).get("masked").is_none());
    assert_eq!(world.published().len(), 2);
}

#[tokio::test]
async fn a_denied_request_shows_no_secret_and_costs_no_call() {
    let world = world(&json!([allowlist(&["bank"])]), |_| {}).await;
    let mallory = world
        .client("mallory")
        .with_header("x-checkpoint-reason", TOKEN);
    let calls = world.runtime_calls();
    assert_eq!(mallory.post(PATH).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        world.node.calls().of(gateway_node::Method::ContainerStatus),
        0
    );
    assert!(world.runtime_calls() > calls);
    let [outcome] = world.audit().try_into().unwrap();
    assert_eq!(outcome["masked"], json!(["pod-labels[token]", "reason"]));
    assert!(!outcome.to_string().contains(TOKEN), "{outcome}");
    assert!(!world.gateway.log().join("\n").contains(TOKEN));
}

#[tokio::test]
async fn a_setting_brings_last_applied_configuration_back() {
    let keep =
        |config: &mut toml::Table| set(config, "redaction.last-applied-configuration", "keep");
    let world = world(&policies(), keep).await;
    take(&world).await;
    let request = &world.audit()[0]["request"]["target"];
    assert_eq!(request["pod_annotations"][APPLIED], "{}");
}

#[tokio::test]
async fn replay_passes_over_masked_records_and_says_so() {
    let world = world(&policies(), |_| {}).await;
    take(&world).await;
    let log = world.audit_log();
    let config = world.directory.path().join("config.toml");
    let arguments = [
        log.to_str().unwrap(),
        "--policies",
        config.to_str().unwrap(),
    ];
    let output = audit("replay", &arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("not compared: 1 masked") && text.contains("pod-labels[token]"),
        "{text}"
    );
}

#[tokio::test]
async fn inspect_masks_command_lines() {
    let world = World::new().await;
    let script = format!(": --token={TOKEN}; while :; do sleep 1; done");
    let app = ContainerSpec::new("app", ["/bin/sh", "-c", &script]).env("PATH", "/usr/bin:/bin");
    world
        .node
        .run_pod(Pod::new("shop", "args-0", [app]))
        .await
        .unwrap();
    let alice = world.client("alice");
    let taken = alice.post("/checkpoint/shop/args-0/app").await;
    let archive: PathBuf = taken.json()["items"][0].as_str().unwrap().into();
    let told = alice.get(&path_of(&archive)).await.json();
    let arguments = &told["inspection"]["processes"][0]["arguments"];
    let shown = arguments[2].as_str().unwrap();
    assert!(
        shown.starts_with(": --token=") && shown.ends_with("; while :; do sleep 1; done"),
        "{arguments}"
    );
    assert!(!told.to_string().contains(TOKEN));
}
