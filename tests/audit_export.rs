//! Exports of the audit log, checked against the formats of Kubernetes' audit log and of OCSF.

use http::StatusCode;
use serde_json::{Value, json};

use crate::audit_inspection::printed;
use crate::policies::{allowlist, component, governed};
use crate::support::World;
use crate::support::world::{PATH, set};

/// A world whose log has outcomes of most kinds: stored, denied, listed, inspected, held, missing, unauthenticated.
async fn used() -> (World, String) {
    let world = World::with(|config| {
        set(config, "policy-engine.cache-directory", "");
        let rule = json!({ "name": "all", "users": ["alice"], "actions": ["create", "list", "inspect", "delete", "hold"], "namespaces": ["*"] });
        let roles = json!({ "name": "roles", "file": component("group-rbac"), "settings": { "rules": [rule] } });
        governed(config, &json!([allowlist(&["shop"]), roles]));
    })
    .await;
    let client = world
        .client("alice")
        .with_header("x-checkpoint-reason", "because");
    let answer = client.post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let path = answer.json()["items"][0].as_str().unwrap().to_owned();
    let id = crate::storage::metadata(path.as_ref())["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let checkpoint = format!("/v1/checkpoints/{id}");
    world.client("mallory").post(PATH).await;
    client.get("/v1/checkpoints").await;
    client.get(&checkpoint).await;
    client
        .send(http::Method::PUT, &format!("{checkpoint}/hold"))
        .await;
    client.send(http::Method::DELETE, &checkpoint).await;
    client.get(&format!("{checkpoint}/archive")).await;
    world.anonymous().post(PATH).await;
    let log = world.audit_log().to_str().unwrap().to_owned();
    (world, log)
}

fn exported(log: &str, format: &str) -> Vec<Value> {
    printed("export", &[log, "--format", format])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn outcomes(world: &World) -> Vec<Value> {
    world
        .audit()
        .into_iter()
        .filter(|record| record["event"] == "outcome")
        .collect()
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// RFC 3339 with six digits behind the second, in UTC.
fn is_micro_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == 27
        && text.ends_with('Z')
        && text.as_bytes()[19] == b'.'
        && text[20..26].bytes().all(|b| b.is_ascii_digit())
}

/// Checks what every event of `audit.k8s.io/v1` must have.
fn check_k8s_event(event: &Value, outcome: &Value) {
    assert_eq!(
        (&event["kind"], &event["apiVersion"]),
        (&"Event".into(), &"audit.k8s.io/v1".into())
    );
    assert_eq!(
        (&event["level"], &event["stage"]),
        (&"Metadata".into(), &"ResponseComplete".into())
    );
    assert_eq!(event["auditID"], outcome["request_id"]);
    assert!(
        is_text(&event["requestURI"]) && is_text(&event["user"]["username"]),
        "{event}"
    );
    assert!(
        ["create", "list", "get", "update", "delete"].contains(&event["verb"].as_str().unwrap()),
        "{event}"
    );
    assert_eq!(
        (&event["responseStatus"]["code"], &event["sourceIPs"]),
        (&outcome["status"], &json!(["127.0.0.1"]))
    );
    assert!(
        event["responseStatus"]["metadata"].is_object() && event["user"]["groups"].is_array(),
        "{event}"
    );
    assert!(
        is_micro_time(&event["requestReceivedTimestamp"])
            && is_micro_time(&event["stageTimestamp"]),
        "{event}"
    );
    assert!(
        event["requestReceivedTimestamp"].as_str() <= event["stageTimestamp"].as_str(),
        "{event}"
    );
    assert!(
        event["annotations"]
            .as_object()
            .unwrap()
            .values()
            .all(Value::is_string),
        "{event}"
    );
}

#[tokio::test]
async fn k8s_audit_export_has_the_required_fields() {
    let (world, log) = used().await;
    let (events, outcomes) = (exported(&log, "k8s-audit"), outcomes(&world));
    assert_eq!((events.len(), outcomes.len()), (8, 8));
    for (event, outcome) in events.iter().zip(&outcomes) {
        check_k8s_event(event, outcome);
    }
    let (stored, denied, anonymous) = (&events[0], &events[1], &events[7]);
    let pod = json!({ "resource": "pods", "namespace": "shop", "name": "cart-0", "apiVersion": "v1", "subresource": "checkpoint" });
    assert_eq!(
        (&stored["objectRef"], &stored["requestURI"]),
        (&pod, &PATH.into())
    );
    assert_eq!(
        stored["annotations"]["authorization.k8s.io/decision"],
        "allow"
    );
    assert_eq!(
        stored["annotations"]["checkpoint-gateway/reason"],
        "because"
    );
    assert_eq!(
        denied["annotations"]["authorization.k8s.io/decision"],
        "forbid"
    );
    assert_eq!(denied["responseStatus"]["status"], "Failure");
    assert_eq!(anonymous["user"]["username"], "system:anonymous");
}

/// Checks what every event of API Activity (class 6003) must have.
fn check_ocsf_event(event: &Value, outcome: &Value) {
    assert_eq!(
        (&event["category_uid"], &event["class_uid"]),
        (&6.into(), &6003.into())
    );
    let activity = event["activity_id"].as_u64().unwrap();
    assert!([0, 1, 2, 3, 4, 99].contains(&activity), "{event}");
    assert_eq!(event["type_uid"], 600_300 + activity);
    assert!(
        [0, 1, 2, 3, 4, 5, 6, 99].contains(&event["severity_id"].as_u64().unwrap()),
        "{event}"
    );
    assert!(
        [0, 1, 2, 99].contains(&event["status_id"].as_u64().unwrap()),
        "{event}"
    );
    // Milliseconds since 1970, as timestamp_t has it.
    assert!(
        event["time"].as_i64().unwrap() > 1_700_000_000_000,
        "{event}"
    );
    let metadata = &event["metadata"];
    assert!(
        metadata["version"] == "1.9.0" && is_text(&metadata["product"]["name"]),
        "{event}"
    );
    assert!(
        is_text(&event["actor"]["user"]["name"]) && is_text(&event["api"]["operation"]),
        "{event}"
    );
    assert!(
        is_text(&event["api"]["request"]["uid"]) && is_text(&event["api"]["service"]["name"]),
        "{event}"
    );
    assert_eq!(
        (
            &event["src_endpoint"]["ip"],
            &event["api"]["response"]["code"]
        ),
        (&"127.0.0.1".into(), &outcome["status"])
    );
    assert_eq!(event["metadata"]["uid"], outcome["request_id"]);
    assert!(!event.to_string().contains("null"), "{event}");
}

#[tokio::test]
async fn ocsf_export_has_the_required_attributes() {
    let (world, log) = used().await;
    let (events, outcomes) = (exported(&log, "ocsf"), outcomes(&world));
    assert_eq!(events.len(), outcomes.len());
    for (event, outcome) in events.iter().zip(&outcomes) {
        check_ocsf_event(event, outcome);
    }
    let activities: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event["activity_name"].as_str().unwrap(),
                event["status"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("Create", "Success"),
        ("Create", "Failure"),
        ("Read", "Success"),
        ("Read", "Success"),
        ("Update", "Success"),
        ("Delete", "Failure"),
        ("Read", "Failure"),
        ("Create", "Failure"),
    ];
    assert_eq!(activities, expected);
    assert_eq!(
        printed("export", &[&log, "--format", "ocsf", "--user", "mallory"])
            .lines()
            .count(),
        1
    );
}
