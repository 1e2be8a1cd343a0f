//! A gateway continues what an earlier build left on the disk: checkpoints, audit log, policy cache.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::audit_inspection::printed;
use crate::policies::{allowlist, governed};
use crate::storage::{metadata, sha256sum};
use crate::support::World;
use crate::support::world::{PATH, set};

/// The lines of the sample's audit log. The last is an intent: the gateway was killed during that capture.
const SAMPLE_LINES: usize = 17;

/// The checkpoint that was never published.
const UNFINISHED: &str = "01a21f99-91e9-76bb-b59a-c9f24f2af721";

/// A world whose gateway starts on a copy of the sample, and that copy's folder.
async fn continued() -> World {
    World::with(|config| {
        let folder = folder_of(config);
        let sample =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples/2026-11-27.tar.gz");
        let file = std::fs::File::open(&sample).unwrap();
        tar::Archive::new(GzDecoder::new(file))
            .unpack(&folder)
            .unwrap();
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        set(config, "audit.key-file", path("audit.key"));
        set(
            config,
            "policy-engine.cache-directory",
            path("policy-cache"),
        );
        governed(config, &serde_json::json!([allowlist(&["shop"])]));
    })
    .await
}

fn folder_of(config: &toml::Table) -> PathBuf {
    let audit = config["audit"]["file"].as_str().unwrap();
    Path::new(audit).parent().unwrap().to_owned()
}

fn listed(answer: &Value) -> Vec<Value> {
    answer["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn continues_the_audit_log_of_an_earlier_build() {
    let world = continued().await;
    let records = world.audit();
    let intent = &records[SAMPLE_LINES - 1];
    assert_eq!(intent["event"], "intent");
    let closed = records
        .iter()
        .find(|record| record["event"] == "outcome" && record["request_id"] == intent["request_id"])
        .expect("the start closes what the kill left open");
    assert_eq!(closed["code"], "unknown", "{closed}");
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    let log = world.directory.path().join("audit.log");
    let key = world.directory.path().join("public.pem");
    let verified = printed(
        "verify",
        &[
            log.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
            "--output",
            "json",
        ],
    );
    let verified: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(verified["trust"], "given", "{verified}");
    assert!(
        verified["records"].as_u64().unwrap() > SAMPLE_LINES as u64,
        "{verified}"
    );
}

#[tokio::test]
async fn serves_the_checkpoints_of_an_earlier_build() {
    let world = continued().await;
    let alice = world.client("alice");
    let swept = world
        .gateway
        .log()
        .iter()
        .any(|line| line.contains(UNFINISHED));
    assert!(swept, "the unfinished capture is removed by name");
    assert!(
        !world
            .checkpoints()
            .join(".incoming/01a21f99-91e9-76bb-b59a-c9f24f2af721")
            .exists()
    );
    let items = listed(&alice.get("/v1/checkpoints").await.json());
    assert_eq!(items.len(), 2, "{items:?}");
    for item in &items {
        let path = format!("/v1/checkpoints/{}", item["id"].as_str().unwrap());
        let inspected = alice.get(&path).await.json();
        assert_eq!(
            inspected["inspection"]["env"],
            serde_json::json!(["PATH", "API_KEY"])
        );
        let archive = alice.get(&format!("{path}/archive")).await;
        assert_eq!(archive.status, StatusCode::OK);
        assert_eq!(archive.body.len() as u64, item["bytes"].as_u64().unwrap());
        let original = alice.get(&format!("{path}/archive?view=original")).await;
        assert_eq!(original.status, StatusCode::OK);
        assert!(original.body.starts_with(b"age-encryption.org/v1"));
    }
}

#[tokio::test]
async fn honours_holds_of_an_earlier_build() {
    let world = continued().await;
    let alice = world.client("alice");
    let items = listed(&alice.get("/v1/checkpoints").await.json());
    let mut answers = BTreeSet::new();
    for item in &items {
        let path = format!("/v1/checkpoints/{}", item["id"].as_str().unwrap());
        answers.insert(alice.send(Method::DELETE, &path).await.status.as_u16());
    }
    assert_eq!(answers, BTreeSet::from([204, 409]), "one is held");
    let taken = alice.post(PATH).await.json();
    let newest = PathBuf::from(taken["items"][0].as_str().unwrap());
    assert_eq!(metadata(&newest)["sha256"], sha256sum(&newest));
    let items = listed(&alice.get("/v1/checkpoints").await.json());
    assert_eq!(
        items[0]["id"],
        metadata(&newest)["id"],
        "a new id sorts behind the old ones"
    );
}
