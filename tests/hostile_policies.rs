//! Whatever a policy does, the gateway denies, reports it everywhere, touches no container and serves the next request. Tests of
//! gateway-policy check the effect of each attack on the engine.

use std::path::{Path, PathBuf};

use gateway_node::{ContainerSpec, Pod};
use http::StatusCode;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use serde_json::{Value, json};

use crate::support::receiver::Seen;
use crate::support::world::{PATH, set};
use crate::support::{Receiver, World};

#[path = "../gateway/policy/tests/hostile/rows.rs"]
mod rows;

/// A deed, the code that must come of it, and the component that does it.
struct Row {
    name: String,
    deed: &'static str,
    code: &'static str,
    file: PathBuf,
}

fn rows() -> Vec<Row> {
    let guest = |world: &str| {
        let guests = concat!(env!("CARGO_MANIFEST_DIR"), "/../policy/guests/hostile");
        Path::new(guests).join(format!("{world}.wasm"))
    };
    let table = |prefix: &'static str, world: &str, rows: &[(&'static str, &'static str)]| {
        let row = |&(deed, code)| Row {
            name: format!("{prefix}{deed}"),
            deed,
            code,
            file: guest(world),
        };
        rows.iter().map(row).collect::<Vec<_>>()
    };
    let refused = table("", "authorizer", &rows::REFUSED_AUTHORIZERS);
    let authorizers = table("", "authorizer", &rows::AUTHORIZERS);
    let redactors = table("plan-", "redactor", &rows::REDACTORS);
    refused
        .into_iter()
        .chain(authorizers)
        .chain(redactors)
        .collect()
}

/// Each policy is bound to a namespace of its own name, so that it denies what is asked there and nothing else.
fn policy(row: &Row) -> Value {
    let milliseconds = rows::milliseconds(row.code);
    // Set-up is what only some deeds disturb; to the others it must not be too short on a busy machine.
    let at_set_up = ["configure", "schema"]
        .iter()
        .any(|part| row.deed.starts_with(part));
    let set_up = if at_set_up { milliseconds } else { 20_000 };
    json!({
        "name": row.name,
        "file": row.file,
        "settings": { "do": row.deed },
        "namespaces": [row.name],
        "limits": { "deadline-milliseconds": milliseconds, "configure-milliseconds": set_up },
    })
}

fn pod(row: &Row) -> Pod {
    Pod::new(
        &row.name,
        "victim",
        [ContainerSpec::new("app", ["/bin/sleep", "1000"])],
    )
}

/// Whether the trace of this request has a span that failed with this code.
fn failed(spans: &[Seen], trace_id: &str, code: &str) -> bool {
    spans
        .iter()
        .filter(|seen| seen.trace_id() == trace_id)
        .any(|seen| {
            let status = seen.span.status.clone().unwrap_or_default();
            ["policy", "redaction plan"].contains(&seen.span.name.as_str())
                && (status.code(), status.message.as_str()) == (SpanStatus::Error, code)
        })
}

/// A request that was denied, by the ids in its answer.
struct Denied {
    trace_id: String,
    request_id: Value,
}

/// Asks for a checkpoint that the row's policy decides on.
async fn deny(world: &World, row: &Row) -> Denied {
    let name = &row.name;
    world.node.run_pod(pod(row)).await.unwrap();
    let before = world.node.checkpoint_calls();
    let path = format!("/checkpoint/{name}/victim/app");
    let answer = world.client("alice").post(&path).await;
    let body = answer.json();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::FORBIDDEN, "denied"),
        "{name}"
    );
    assert_eq!(
        (&body["policy"], &body["denial"]),
        (&name.as_str().into(), &row.code.into())
    );
    let after = world.node.checkpoint_calls();
    assert_eq!(after, before, "{name}: the container was touched");
    Denied {
        trace_id: body["trace_id"].as_str().unwrap().to_owned(),
        request_id: body["request_id"].clone(),
    }
}

/// Checks that the denial is in the audit log and in the metrics.
async fn check_records(world: &World, records: &[Value], row: &Row, denied: &Denied) {
    let (name, code) = (&row.name, row.code);
    let mut records = records.iter();
    let record = records.find(|record| record["request_id"] == denied.request_id);
    let record = record.unwrap();
    assert_eq!(
        (&record["event"], &record["code"]),
        (&"outcome".into(), &"denied".into()),
        "{name}"
    );
    let mut verdicts = record["verdicts"].as_array().unwrap().iter();
    let verdict = verdicts.find(|verdict| verdict["policy"] == *name).unwrap();
    assert_eq!(verdict["decision"]["deny"]["code"], code, "{name}");
    let metric = format!(
        "checkpoint_gateway_policy_verdicts_total{{policy=\"{name}\",verdict=\"fault\",code=\"{code}\"}}"
    );
    let counted = world.gateway.counted(&metric, 1.0).await;
    assert_eq!(counted.to_string(), "1", "{metric}");
}

#[tokio::test]
async fn a_hostile_policy_denies_and_the_next_request_is_served() {
    let receiver = Receiver::start().await;
    let endpoint = format!("http://{}", receiver.grpc);
    let rows = rows();
    let policies = toml::Value::try_from(rows.iter().map(policy).collect::<Vec<_>>()).unwrap();
    let world = World::with(|config| {
        set(config, "telemetry.otlp-endpoint", endpoint);
        set(config, "policy-engine.cache-directory", "");
        config.insert("policies".to_owned(), policies);
    })
    .await;
    let client = world.client("alice");
    let mut denied = Vec::new();
    for row in &rows {
        denied.push(deny(&world, row).await);
        let next = client.post(PATH).await;
        assert_eq!(next.status, StatusCode::OK, "after {}: {next:?}", row.name);
    }
    let records = world.audit();
    for (row, denied) in rows.iter().zip(&denied) {
        check_records(&world, &records, row, denied).await;
    }
    receiver
        .wait(|spans| {
            let mut pairs = rows.iter().zip(&denied);
            pairs.all(|(row, denied)| failed(spans, &denied.trace_id, row.code))
        })
        .await;
}
