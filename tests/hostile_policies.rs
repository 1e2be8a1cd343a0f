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
        world.node.run_pod(pod(row)).await.unwrap();
        let before = world.node.checkpoint_calls();
        let answer = client
            .post(&format!("/checkpoint/{}/victim/app", row.name))
            .await;
        let told = answer.json();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::FORBIDDEN, "denied"),
            "{}",
            row.name
        );
        assert_eq!(
            (&told["policy"], &told["denial"]),
            (&row.name.as_str().into(), &row.code.into())
        );
        assert_eq!(
            world.node.checkpoint_calls(),
            before,
            "{}: the container was touched",
            row.name
        );
        denied.push((
            told["trace_id"].as_str().unwrap().to_owned(),
            told["request_id"].clone(),
        ));
        let next = client.post(PATH).await;
        assert_eq!(next.status, StatusCode::OK, "after {}: {next:?}", row.name);
    }
    let records = world.audit();
    for (row, (_, request_id)) in rows.iter().zip(&denied) {
        let record = records
            .iter()
            .find(|record| record["request_id"] == *request_id)
            .unwrap();
        assert_eq!(
            (&record["event"], &record["code"]),
            (&"outcome".into(), &"denied".into()),
            "{}",
            row.name
        );
        let verdicts = record["verdicts"].as_array().unwrap();
        let verdict = verdicts
            .iter()
            .find(|verdict| verdict["policy"] == row.name)
            .unwrap();
        assert_eq!(
            verdict["decision"]["deny"]["code"], row.code,
            "{}",
            row.name
        );
        let counted = format!(
            "checkpoint_gateway_policy_verdicts_total{{policy=\"{}\",verdict=\"fault\",code=\"{}\"}}",
            row.name, row.code
        );
        assert_eq!(
            world.gateway.counted(&counted, 1.0).await.to_string(),
            "1",
            "{counted}"
        );
    }
    receiver
        .wait(|spans| {
            rows.iter()
                .zip(&denied)
                .all(|(row, (trace, _))| failed(spans, trace, row.code))
        })
        .await;
}
