//! Searches all output of the gateway, at its most verbose and during failures, for secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway_node::{Behaviour, Dialect, Fault, Method as Rpc, Moment};
use http::{Method, StatusCode};
use serde_json::json;
use tonic::Code;

use crate::audit_inspection::printed;
use crate::policies::{allowlist, component, governed};
use crate::support::receiver::Seen;
use crate::support::world::{PATH, SECRET, claims, set};
use crate::support::{Answer, Receiver, World};

const USER: &str = "canary-user-5c1d";
const MAIL: &str = "canary-mail-a77e@example.org";
const TEAM: &str = "canary-team-90b2";
const REASON: &str = "canary-reason-e41f: a look at the heap";

async fn world(receiver: &Receiver) -> World {
    let endpoint = format!("http://{}", receiver.grpc);
    let hide = json!({ "hide": ["identity.user", "identity.groups", "identity.claims", "reason", "source-address"] });
    World::beside(Dialect::Containerd, |config| {
        set(config, "policy-engine.cache-directory", "");
        set(config, "telemetry.otlp-endpoint", endpoint);
        set(config, "telemetry.otlp-audit-log", true);
        let policies = json!([
            allowlist(&["shop"]),
            { "name": "environment", "file": component("redact-environment") },
            { "name": "secrets", "file": component("redact-secrets"), "settings": hide },
        ]);
        governed(config, &policies);
    })
    .await
}

/// Every way in which a checkpoint fails once it is permitted.
fn failures() -> Vec<Behaviour> {
    let fail = |moment| Fault::Fail(moment, Code::Unknown, "no checkpoint today".to_owned());
    [
        fail(Moment::Call(Rpc::CheckpointContainer)),
        fail(Moment::AfterDump),
        fail(Moment::AfterArchive),
        Fault::NoCheckpoint,
        Fault::AbortConnectionAfter(100_000),
        Fault::DiskFullAfter(100_000),
        Fault::ReplaceLocation,
        Fault::RefuseFifo,
    ]
    .map(Behaviour::from)
    .into()
}

/// Requests that are refused, fail, or end a checkpoint's life; returns their answers and the checkpoint's id.
async fn requests(world: &World, token: &str) -> (Vec<Answer>, String) {
    let canary = world
        .anonymous()
        .with_token(token)
        .with_header("x-checkpoint-reason", REASON);
    let first = canary.post(PATH).await;
    assert_eq!(first.status, StatusCode::OK, "{first:?}");
    let mut answers = Vec::new();
    for failure in failures() {
        world.node.behave(failure);
        answers.push(canary.post(PATH).await);
    }
    world.node.behave(Behaviour::normal());
    let failed = answers
        .iter()
        .filter(|answer| answer.status != StatusCode::OK);
    assert!(failed.count() >= 5, "{answers:?}");

    let alice = world.client("alice");
    for path in [
        "/checkpoint/shop/none/app",
        "/checkpoint/bank/cart-0/app",
        "/checkpoint/shop/cart-0/none",
    ] {
        answers.push(alice.post(path).await);
    }
    for credential in [format!("Bearer {token}x"), format!("Basic {token}")] {
        let caller = world.anonymous();
        let caller = caller.with_header("authorization", &credential);
        answers.push(caller.post(PATH).await);
    }
    let listed = alice.get("/v1/checkpoints").await.json();
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let one = format!("/v1/checkpoints/{id}");
    for answer in [
        alice.get(&one).await,
        alice.get(&format!("{one}/archive")).await,
        alice.send(Method::PUT, &format!("{one}/hold")).await,
    ] {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    answers.push(alice.send(Method::DELETE, &one).await);
    (answers, id)
}

/// The audit log, and every way in which the tool prints it.
fn audit_output(world: &World, id: &str) -> String {
    let log = world.directory.path().join("audit.log");
    let log = log.to_str().unwrap();
    [vec![log], vec![log, "--output", "json"]]
        .iter()
        .flat_map(|arguments| ["show", "stats"].map(|command| printed(command, arguments)))
        .chain(["k8s-audit", "ocsf"].map(|format| printed("export", &[log, "--format", format])))
        .chain([printed("explain", &[id, log])])
        .chain([std::fs::read_to_string(log).unwrap()])
        .collect::<Vec<_>>()
        .join("\n")
}

/// Everything that the gateway and the tool put out, by place.
async fn output(world: &World, receiver: &Receiver, id: &str) -> [(&'static str, String); 5] {
    let deleted = |seen: &Seen| seen.span.name.starts_with("DELETE /");
    let spans = receiver.wait(|spans| spans.iter().any(deleted)).await;
    let logs = receiver.wait_for_logs(world.audit().len()).await;
    let metrics = crate::support::client::admin(world.gateway.admin, "/metrics").await;
    [
        ("log", world.gateway.log().join("\n")),
        ("spans", format!("{spans:?}")),
        ("logs", format!("{logs:?}")),
        ("metrics", String::from_utf8(metrics.body.to_vec()).unwrap()),
        ("audit", audit_output(world, id)),
    ]
}

#[tokio::test]
async fn secrets_and_hidden_fields_appear_in_no_output() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let mut claims = claims(USER);
    claims["email"] = json!(MAIL);
    claims["groups"] = json!([TEAM]);
    let token = world.credentials.issuer.sign(claims).unwrap();
    let (answers, id) = requests(&world, &token).await;
    let encoded = STANDARD.encode(SECRET);
    let signature = token.rsplit('.').next().unwrap();
    let canaries = [
        SECRET, &encoded, &token, signature, USER, MAIL, TEAM, REASON,
    ];
    let places = output(&world, &receiver, &id).await.into_iter();
    for (place, text) in places.chain([("answers", format!("{answers:?}"))]) {
        let is_empty = !text.contains("checkpoint") && !text.contains("shop");
        assert!(!is_empty, "{place} has nothing in it");
        for canary in canaries {
            assert!(!text.contains(canary), "{canary} is in {place}");
        }
    }
}
