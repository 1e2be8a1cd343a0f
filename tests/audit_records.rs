//! The records of the audit log: one for every request, with caller, action and outcome, as the schema describes them.

use gateway_core::Request;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::audit_inspection::printed;
use crate::policies::{allowlist, component, governed};
use crate::support::client::Client;
use crate::support::world::{PATH, pod, set};
use crate::support::{World, in_time};

const SCHEMA: &str = include_str!("../gateway/audit/schema/record-v1.json");

/// The ways in which `records` violate the published schema.
pub fn violations(records: &[Value]) -> Vec<String> {
    let schema = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let check = |record: &Value| {
        let errors: Vec<_> = validator
            .iter_errors(record)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        (!errors.is_empty()).then(|| format!("{errors:?} in {record}"))
    };
    records.iter().filter_map(check).collect()
}

/// The last record, once there are `count` of them.
async fn last(world: &World, count: usize) -> Value {
    in_time(async {
        while world.audit().len() < count {
            tokio::task::yield_now().await;
        }
    })
    .await;
    world.audit().pop().unwrap()
}

/// Captures a checkpoint and returns its id.
async fn capture(client: &Client) -> String {
    let answer = client.post(PATH).await;
    let path = answer.json()["items"][0].as_str().unwrap().to_owned();
    crate::storage::metadata(path.as_ref())["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Calls about a checkpoint and others: method, path, expected status and action.
fn calls_about(checkpoint: &str) -> [(Method, String, u16, Option<&'static str>); 13] {
    let checkpoint = checkpoint.to_owned();
    [
        (Method::GET, "/v1/checkpoints".to_owned(), 200, Some("list")),
        (Method::GET, checkpoint.clone(), 200, Some("inspect")),
        (
            Method::GET,
            format!("{checkpoint}/archive"),
            200,
            Some("download"),
        ),
        (
            Method::GET,
            format!("{checkpoint}/archive?view=original"),
            404,
            Some("download-original"),
        ),
        (Method::PUT, format!("{checkpoint}/hold"), 200, Some("hold")),
        (Method::DELETE, checkpoint.clone(), 409, Some("delete")),
        (
            Method::DELETE,
            format!("{checkpoint}/hold"),
            204,
            Some("hold"),
        ),
        (Method::DELETE, checkpoint.clone(), 204, Some("delete")),
        (Method::GET, checkpoint, 404, Some("inspect")),
        (Method::GET, "/v1/whoami".to_owned(), 200, None),
        (Method::GET, "/openapi.json".to_owned(), 200, None),
        (Method::GET, "/v1/nothing".to_owned(), 404, None),
        (
            Method::POST,
            "/checkpoint/shop/cart-0/none".to_owned(),
            404,
            Some("create"),
        ),
    ]
}

/// Checks the outcome of a call that alice made.
fn check_outcome(record: &Value, status: u16, action: Option<&str>) {
    assert_eq!(
        (&record["event"], &record["status"]),
        (&"outcome".into(), &json!(status)),
        "{record}"
    );
    assert_eq!(record["action"], json!(action), "{record}");
    assert_eq!(
        (&record["user"], &record["credential"]),
        (&"alice".into(), &"bearer-token".into())
    );
    assert!(
        record["issuer"].is_string() && record["duration_us"].is_u64(),
        "{record}"
    );
    assert_eq!(
        (status >= 400, status >= 400),
        (record["code"].is_string(), record["message"].is_string())
    );
}

#[tokio::test]
async fn every_authenticated_request_leaves_an_outcome() {
    let world = World::new().await;
    let client = world
        .client("alice")
        .with_header("x-checkpoint-reason", "because");
    let id = capture(&client).await;
    let checkpoint = format!("/v1/checkpoints/{id}");
    let calls = calls_about(&checkpoint);
    for (method, path, status, action) in calls {
        let before = world.audit().len();
        let answer = client.send(method.clone(), &path).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        // A download's outcome is written after its last byte was sent.
        let intents = usize::from(
            status < 300 && ["download", "hold", "delete"].contains(&action.unwrap_or("")),
        ) + usize::from(status == 409);
        let record = last(&world, before + intents + 1).await;
        check_outcome(&record, status, action);
        assert_eq!(
            record["request_id"],
            answer.header("x-request-id"),
            "{record}"
        );
    }
    assert_eq!(violations(&world.audit()), Vec::<String>::new());
}

#[tokio::test]
async fn unauthenticated_requests_are_recorded_up_to_a_rate() {
    let world = World::with(|config| {
        set(config, "audit.unproven-per-second", 1);
        set(config, "audit.unproven-burst", 2);
    })
    .await;
    for _ in 0..40 {
        assert_eq!(
            world.anonymous().post(PATH).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let records = world.audit();
    assert_eq!(
        (&records[0]["code"], &records[0]["user"]),
        (&"unauthenticated".into(), &Value::Null)
    );
    assert_eq!(
        (&records[0]["action"], &records[0]["target"]["pod"]),
        (&"create".into(), &"cart-0".into())
    );
    let left_out = world
        .gateway
        .counted("checkpoint_gateway_audit_suppressed_total", 1.0)
        .await;
    let suppressed: u64 = records
        .iter()
        .filter_map(|record| record["suppressed"].as_u64())
        .sum();
    assert!(records.len() < 40, "{}", records.len());
    assert!(suppressed.to_string().parse::<f64>().unwrap() <= left_out);
    assert_eq!(
        records.len().to_string(),
        (40.0 - left_out).to_string(),
        "suppressed outcomes are counted"
    );
    let next = in_time(async {
        loop {
            world.anonymous().get("/v1/whoami").await;
            if let Some(record) = world
                .audit()
                .into_iter()
                .find(|record| record["suppressed"].is_u64())
            {
                return record;
            }
        }
    })
    .await;
    assert!(next["suppressed"].as_u64().unwrap() >= 1, "{next}");
    assert_eq!(violations(&world.audit()), Vec::<String>::new());
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK,
        "authenticated callers are not limited"
    );
}

#[tokio::test]
async fn records_the_policy_input_once_per_request() {
    let world = World::with(|config| {
        set(config, "policy-engine.cache-directory", "");
        governed(config, &json!([allowlist(&["shop"])]));
    })
    .await;
    let mut other = pod("cart-9");
    "bank".clone_into(&mut other.namespace);
    other.labels.insert("tier".to_owned(), "gold".to_owned());
    world.node.run_pod(other).await.unwrap();
    let client = world
        .client("alice")
        .with_header("x-checkpoint-reason", "because");
    let id = capture(&client).await;
    assert_eq!(
        client.post("/checkpoint/bank/cart-9/app").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        client.get(&format!("/v1/checkpoints/{id}")).await.status,
        StatusCode::OK
    );
    let records = world.audit();
    let request = |record: &Value| serde_json::from_value::<Request>(record["request"].clone());
    let [intent, outcome, denied, inspected] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(request(intent).unwrap().reason.as_deref(), Some("because"));
    assert!(outcome["request"].is_null(), "the intent has it");
    let request_denied = request(denied).unwrap();
    assert_eq!(request_denied.target.pod_labels["tier"], "gold");
    assert_eq!(
        (&denied["verdicts"][0]["policy"], &denied["status"]),
        (&"namespaces".into(), &403.into())
    );
    assert_eq!(
        request(inspected).unwrap().archive.unwrap().id.to_string(),
        id
    );
    assert_eq!(violations(&records), Vec::<String>::new());
}

#[tokio::test]
async fn refuses_a_request_too_long_to_record() {
    let world = World::new().await;
    let mut large = pod("large");
    large.labels.insert("large".to_owned(), "x".repeat(1 << 20));
    world.node.run_pod(large).await.unwrap();
    let refused = world
        .client("alice")
        .post("/checkpoint/shop/large/app")
        .await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (500, "record-too-long")
    );
    assert_eq!(
        (world.node.checkpoint_calls(), world.published()),
        (0, Vec::new())
    );
    let denied = world
        .client("mallory")
        .post("/checkpoint/shop/large/app")
        .await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    for record in world.audit() {
        assert_eq!(
            (&record["event"], &record["omitted"]),
            (&"outcome".into(), &json!(["request"])),
            "{record}"
        );
    }
    assert_eq!(world.audit().len(), 2);
    assert_eq!(violations(&world.audit()), Vec::<String>::new());
}

#[tokio::test]
async fn redaction_and_removal_records_match_the_schema() {
    let world = World::with(|config| {
        set(config, "policy-engine.cache-directory", "");
        let quota = json!({ "container": { "count": 1 }, "when-full": "delete-oldest" });
        config.insert("quota".to_owned(), toml::Value::try_from(quota).unwrap());
        let hide = json!({ "hide": ["identity.user", "target.pod-labels.tier"], "drop": ["container.log"] });
        let redactor = json!({ "name": "secrets", "file": component("redact-secrets"), "settings": hide });
        governed(config, &json!([allowlist(&["shop"]), redactor]));
    })
    .await;
    capture(&world.client("alice")).await;
    capture(&world.client("alice")).await;
    let records = world.audit();
    let kinds: Vec<_> = records
        .iter()
        .map(|record| record["event"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["intent", "outcome", "intent", "removed", "outcome"]);
    assert!(
        records[0]["request"]["identity"]["user"].is_null(),
        "{}",
        records[0]
    );
    assert_eq!(violations(&records), Vec::<String>::new());
}

#[tokio::test]
async fn head_and_key_records_match_the_schema() {
    let world = World::signed(|config| set(config, "audit.head-records", 2)).await;
    capture(&world.client("alice")).await;
    let log = world.audit_log();
    let log = log.to_str().unwrap();
    let heads = || {
        world
            .audit()
            .iter()
            .filter(|record| record["event"] == "head")
            .count()
    };
    in_time(async {
        while heads() == 0 {
            world.client("alice").get("/v1/whoami").await;
        }
    })
    .await;
    assert_eq!(violations(&world.audit()), Vec::<String>::new());
    for command in ["show", "stats"] {
        let text = printed(command, &[log]);
        assert!(text.contains("head") && text.contains("key"), "{text}");
    }
    let request = world
        .audit()
        .iter()
        .find(|record| record["event"] == "intent")
        .unwrap()["request_id"]
        .clone();
    assert!(printed("explain", &[request.as_str().unwrap(), log]).contains("alice"));
}

#[test]
fn schema_rejects_malformed_records() {
    let good = json!({
        "seq": 0, "prev": "0".repeat(64), "schema": 1, "at": "2026-01-01T00:00:00Z", "trace_id": null, "event": "removed",
        "request_id": "01990000-0000-7000-8000-000000000001", "checkpoint_id": "01990000-0000-7000-8000-000000000001",
        "because": "age", "target": { "namespace": "a", "pod": "b", "container": "c" }, "sha256": "0".repeat(64), "bytes": 1,
    });
    assert_eq!(
        violations(std::slice::from_ref(&good)),
        Vec::<String>::new()
    );
    for (field, wrong) in [
        ("because", json!("boredom")),
        ("bytes", json!(-1)),
        ("at", json!("today")),
        ("schema", json!(2)),
        ("target", json!("a/b/c")),
    ] {
        let mut bad = good.clone();
        bad[field] = wrong;
        assert_eq!(violations(&[bad]).len(), 1, "{field}");
    }
}
