//! The audit log as OpenTelemetry logs: what arrives, that it is nothing but the log's own lines, and that it costs no
//! request.

use http::StatusCode;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::policies::{allowlist, component, governed};
use crate::support::receiver::{SeenLog, hex};
use crate::support::world::{PATH, SECRET, set};
use crate::support::{Receiver, World};

const SENT: &str = "checkpoint_gateway_audit_logs_sent_total";
const FAILED: &str = "checkpoint_gateway_audit_logs_dropped_total{reason=\"export-failed\"}";
const WARN: i32 = 13;
const INFO: i32 = 9;

/// A world whose audit log goes to `receiver`, and whose configuration `change` has had its hands on.
async fn sending(
    receiver: &Receiver,
    protocol: &str,
    change: impl FnOnce(&mut toml::Table),
) -> World {
    let endpoint = if protocol == "grpc" {
        receiver.grpc
    } else {
        receiver.http
    };
    World::with(|config| {
        set(
            config,
            "telemetry.otlp-endpoint",
            format!("http://{endpoint}"),
        );
        set(config, "telemetry.otlp-protocol", protocol);
        set(config, "telemetry.otlp-audit-log", true);
        change(config);
    })
    .await
}

fn names(logs: &[SeenLog]) -> Vec<&str> {
    logs.iter()
        .map(|seen| {
            seen.log
                .event_name
                .strip_prefix("checkpoint_gateway.audit.")
                .unwrap()
        })
        .collect()
}

fn lines(world: &World) -> Vec<String> {
    let text = std::fs::read_to_string(world.directory.path().join("audit.log")).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn nanoseconds(record: &Value) -> u64 {
    let at: jiff::Timestamp = record["at"].as_str().unwrap().parse().unwrap();
    at.as_nanosecond().try_into().unwrap()
}

#[tokio::test]
async fn exports_intent_and_outcome_with_the_trace_id() {
    for protocol in ["grpc", "http/protobuf"] {
        let receiver = Receiver::start().await;
        let world = sending(&receiver, protocol, |_| {}).await;
        let answer = world.client("alice").post(PATH).await;
        assert_eq!(answer.status, StatusCode::OK);
        let logs = receiver.wait_for_logs(2).await;
        assert_eq!(names(&logs), ["intent", "outcome"], "{protocol}");
        for ((seen, line), seq) in logs.iter().zip(lines(&world)).zip(0..) {
            let record: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(seen.service, "checkpoint-gateway");
            assert_eq!(seen.body(), line, "the body is the line");
            assert_eq!(seen.log.time_unix_nano, nanoseconds(&record));
            assert_eq!(
                (seen.log.severity_number, seen.log.severity_text.as_str()),
                (INFO, "INFO")
            );
            assert_eq!(hex(&seen.log.trace_id), answer.header("x-trace-id"));
            assert_eq!(seen.attribute("event.name"), seen.log.event_name);
            assert_eq!(
                seen.attribute("checkpoint_gateway.request_id"),
                record["request_id"]
            );
            assert_eq!(
                seen.attribute("checkpoint_gateway.audit.seq"),
                seq.to_string()
            );
        }
        assert_eq!(logs[1].attribute("http.response.status_code"), "200");
        world.gateway.counted(SENT, 2.0).await;
    }
}

#[tokio::test]
async fn a_denial_is_a_warning() {
    let receiver = Receiver::start().await;
    let world = sending(&receiver, "grpc", |_| {}).await;
    let denied = world.client("mallory").post(PATH).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    let logs = receiver.wait_for_logs(1).await;
    assert_eq!(names(&logs), ["outcome"]);
    assert_eq!(
        (
            logs[0].log.severity_number,
            logs[0].log.severity_text.as_str()
        ),
        (WARN, "WARN")
    );
    assert_eq!(logs[0].attribute("http.response.status_code"), "403");
    assert_eq!(hex(&logs[0].log.trace_id), denied.header("x-trace-id"));
}

#[tokio::test]
async fn every_record_has_arrived_when_the_gateway_has_stopped() {
    let receiver = Receiver::start().await;
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("audit.key");
    crate::audit_inspection::printed("keygen", &[key.to_str().unwrap()]);
    let signed = |config: &mut toml::Table| set(config, "audit.key-file", key.to_str().unwrap());
    let mut world = sending(&receiver, "grpc", signed).await;
    for user in ["alice", "mallory", "alice"] {
        world.client(user).post(PATH).await;
    }
    world.anonymous().get("/v1/whoami").await;
    world.gateway.signal(Signal::TERM);
    assert_eq!(world.gateway.wait().await.code(), Some(0));
    let logs = receiver.logs();
    assert_eq!(
        logs.iter().map(SeenLog::body).collect::<Vec<_>>(),
        lines(&world)
    );
    let names = names(&logs);
    assert_eq!(
        (names.first(), names.last()),
        (Some(&"key"), Some(&"head")),
        "{names:?}"
    );
    let of_log = logs
        .iter()
        .filter(|seen| seen.attribute("checkpoint_gateway.request_id").is_empty());
    assert!(
        of_log.clone().count() >= 2
            && of_log
                .clone()
                .all(|seen| seen.log.trace_id.iter().all(|b| *b == 0))
    );
}

#[tokio::test]
async fn what_a_plan_hides_is_hidden_here_too() {
    let receiver = Receiver::start().await;
    let world = sending(&receiver, "grpc", |config| {
        set(config, "policy-engine.cache-directory", "");
        let hide = json!({ "hide": ["identity.user"], "drop": ["container.log"] });
        let redactor =
            json!({ "name": "secrets", "file": component("redact-secrets"), "settings": hide });
        governed(config, &json!([allowlist(&["shop"]), redactor]));
    })
    .await;
    let token = world.credentials.token("alice");
    let answer = world.anonymous().with_token(&token).post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK);
    let logs = receiver.wait_for_logs(2).await;
    assert_eq!(names(&logs), ["intent", "outcome"]);
    assert_eq!(
        logs.iter().map(SeenLog::body).collect::<Vec<_>>(),
        lines(&world)
    );
    let told = format!("{logs:?}");
    for hidden in ["alice", SECRET, token.as_str()] {
        assert!(!told.contains(hidden), "`{hidden}` got out: {told}");
    }
    assert!(
        told.contains("identity.user"),
        "and yet it says what is hidden"
    );
}

#[tokio::test]
async fn nothing_of_it_is_sent_unless_that_is_asked_for() {
    let receiver = Receiver::start().await;
    let endpoint = format!("http://{}", receiver.grpc);
    let mut world = World::with(|config| set(config, "telemetry.otlp-endpoint", endpoint)).await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    assert!(world.gateway.metric(SENT).await < 1.0);
    world.gateway.signal(Signal::TERM);
    assert_eq!(world.gateway.wait().await.code(), Some(0));
    assert!(!receiver.spans().is_empty(), "it sends traces");
    assert!(receiver.logs().is_empty());
}

#[tokio::test]
async fn a_receiver_that_is_down_costs_logs_and_no_request() {
    let world = World::with(|config| {
        set(config, "telemetry.otlp-endpoint", "http://127.0.0.1:9");
        set(config, "telemetry.otlp-audit-log", true);
    })
    .await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    world.gateway.counted(FAILED, 2.0).await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    assert_eq!(world.audit().len(), 4, "the log has them all");
}
