//! The wall clock is set back, so that earlier records, checkpoints and tokens lie in the future.

use std::path::{Path, PathBuf};

use gateway_audit::{Expected, Log, Settings, Signing, SigningKey};
use gateway_core::{Event, Record};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::audit_inspection::printed;
use crate::support::World;
use crate::support::world::{PATH, claims, set};

/// The time by which the clock is set back.
const BACK: SignedDuration = SignedDuration::from_hours(1);

async fn capture(world: &World) -> PathBuf {
    let calls = world.node.checkpoint_calls();
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(
        world.node.checkpoint_calls(),
        calls + 1,
        "the runtime is called once"
    );
    answer.json()["items"][0].as_str().unwrap().into()
}

/// Rewrites the log as the gateway would have written it with its clock ahead, killed before its last outcome.
async fn rewrite_log(world: &World, key: &Path) {
    let path = world.audit_log();
    let records: Vec<Record> = gateway_audit::read(&path)
        .unwrap()
        .map(|entry| entry.unwrap().record)
        .collect();
    std::fs::remove_file(&path).unwrap();
    let signing = Signing::read(key, None, 256.try_into().unwrap()).unwrap();
    let log = Log::open_with(
        &path,
        Settings {
            signing: Some(signing),
            ..Settings::default()
        },
    )
    .unwrap();
    let last = records
        .iter()
        .rposition(|record| matches!(record.event, Event::Outcome(_)))
        .unwrap();
    for record in records.into_iter().take(last) {
        let record = Record {
            at: record.at + BACK,
            ..record
        };
        match record.event {
            Event::Intent { .. } => drop(log.write_intent(record).await.unwrap()),
            Event::Outcome(_) => log.write(record).await.unwrap(),
            _ => {}
        }
    }
}

/// Rewrites the metadata in the same way.
fn rewrite_metadata(archive: &Path) {
    let path = format!("{}.json", archive.display());
    let mut metadata: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let at: Timestamp = metadata["created_at"].as_str().unwrap().parse().unwrap();
    metadata["created_at"] = json!(at + BACK);
    // RFC 9562: the milliseconds since 1970 are the first 48 bits.
    let id = metadata["id"].as_str().unwrap().replace('-', "");
    let id = u128::from_str_radix(&id, 16).unwrap() + (BACK.as_millis().cast_unsigned() << 80);
    let id = format!("{id:032x}");
    let parts = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]];
    metadata["id"] = json!(parts.join("-"));
    std::fs::write(path, metadata.to_string()).unwrap();
}

/// A gateway whose clock was set back after it captured two checkpoints and was killed; these, and its key.
async fn set_back() -> (World, [PathBuf; 2], PathBuf) {
    let mut world = World::with(|config| {
        let quota = json!({ "total": { "count": 2 }, "when-full": "delete-oldest" });
        config.insert("quota".to_owned(), toml::Value::try_from(quota).unwrap());
    })
    .await;
    let key = world.directory.path().join("audit.key");
    SigningKey::generate(&key).unwrap();
    set(&mut world.config, "audit.key-file", key.to_str().unwrap());
    let archives = [capture(&world).await, capture(&world).await];
    world.gateway.signal(Signal::KILL);
    world.gateway.wait().await;
    rewrite_log(&world, &key).await;
    for archive in &archives {
        rewrite_metadata(archive);
    }
    (world.restarted().await, archives, key)
}

/// Checks that the log verifies with the public half of `key`, and that verification says where the clock was set back.
fn check_verified(world: &World, key: &Path, records: u64) {
    let public = SigningKey::read(key).unwrap().public().clone();
    let expected = Expected {
        keys: vec![public],
        ..Expected::default()
    };
    let verified = gateway_audit::verify(&world.audit_log(), &expected).unwrap();
    let set_back = verified.set_back.unwrap();
    let text = printed("verify", &[world.audit_log().to_str().unwrap()]);
    assert!(
        text.contains(&format!("clock    was set back: at seq {}", set_back.seq)),
        "{text}"
    );
    assert!(
        set_back.by > SignedDuration::from_mins(58) && set_back.by <= BACK,
        "{set_back:?}"
    );
    assert_eq!(verified.signed.unwrap().head.size, records - 1);
}

#[tokio::test]
async fn serves_and_records_after_the_clock_was_set_back() {
    let (mut world, _, key) = set_back().await;
    let recovered = world
        .gateway
        .logged(|line| line["unknown_outcomes"] == 1)
        .await;
    assert_eq!(recovered["level"], "WARN");
    let before = world.audit().len();
    let now = Timestamp::now();
    capture(&world).await;
    capture(&world).await;
    assert_eq!(world.client("mallory").post(PATH).await.code(), "denied");
    world.gateway.signal(Signal::TERM);
    assert!(world.gateway.wait().await.success());

    let records = world.audit();
    let at = |record: &Value| record["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(
        records
            .iter()
            .enumerate()
            .all(|(place, record)| record["seq"] == place),
        "{records:?}"
    );
    let ahead = records
        .iter()
        .filter(|record| at(record) > now + SignedDuration::from_mins(30))
        .count();
    assert_eq!(ahead, 3, "earlier records are unchanged");
    let unknown = records
        .iter()
        .find(|record| record["code"] == "unknown")
        .unwrap();
    assert!(
        at(unknown) <= now && unknown["seq"].as_u64().unwrap() >= 3,
        "{unknown}"
    );
    let events: Vec<_> = records[before..]
        .iter()
        .map(|record| record["event"].as_str().unwrap())
        .collect();
    let expected = ["intent", "outcome", "intent", "outcome", "outcome", "head"];
    assert_eq!(
        events
            .into_iter()
            .filter(|event| *event != "removed")
            .collect::<Vec<_>>(),
        expected
    );
    check_verified(&world, &key, records.len() as u64);
}

#[tokio::test]
async fn checkpoints_after_a_clock_set_back_are_the_newest() {
    let (world, [first, second], _) = set_back().await;
    let third = capture(&world).await;
    assert!(
        !first.exists() && second.exists() && third.exists(),
        "the oldest goes"
    );
    let fourth = capture(&world).await;
    assert!(
        !second.exists() && third.exists() && fourth.exists(),
        "and then the next"
    );
    let listed = world.client("alice").get("/v1/checkpoints").await.json();
    let paths: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["path"].clone())
        .collect();
    assert_eq!(paths, [json!(fourth), json!(third)], "newest first");
}

#[tokio::test]
async fn refuses_a_token_that_is_not_valid_yet() {
    let world = World::new().await;
    let mut early = claims("alice");
    for name in ["iat", "nbf", "exp"] {
        early[name] = json!(early[name].as_u64().unwrap() + BACK.as_secs().cast_unsigned());
    }
    let token = world.credentials.issuer.sign(early).unwrap();
    let refused = world.anonymous().with_token(&token).post(PATH).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (401, "unauthenticated")
    );
    assert_eq!(world.runtime_calls(), 0);
    let record = world.audit().pop().unwrap();
    assert_eq!(
        (&record["status"], &record["user"]),
        (&json!(401), &Value::Null)
    );
    capture(&world).await;
}
