//! Plans of policies are carried out in the archive, and only numbers are reported.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use gateway_node::{Dialect, Fault, Method, Moment};
use http::StatusCode;
use serde_json::{Value, json};
use tonic::Code;

use crate::policies::{allowlist, component, governed};
use crate::storage::{metadata, sha256sum};
use crate::support::receiver::Seen;
use crate::support::world::{PATH, SECRET, set};
use crate::support::{Receiver, World};

pub fn environment() -> Value {
    json!({ "name": "environment", "file": component("redact-environment") })
}

fn secrets(settings: &Value) -> Value {
    json!({ "name": "secrets", "file": component("redact-secrets"), "settings": settings })
}

/// A world whose archives this redactor has its say about.
pub async fn redacting(
    dialect: Dialect,
    redactor: Value,
    change: impl FnOnce(&mut toml::Table),
) -> World {
    World::beside(dialect, |config| {
        set(config, "policy-engine.cache-directory", "");
        governed(config, &json!([allowlist(&["shop"]), redactor]));
        change(config);
    })
    .await
}

pub async fn take(world: &World) -> PathBuf {
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["items"][0].as_str().unwrap().into()
}

/// The members of an archive, what is compressed in it unpacked.
pub fn members(archive: &Path) -> Vec<(String, Vec<u8>)> {
    let mut members = Vec::new();
    for entry in tar::Archive::new(std::fs::File::open(archive).unwrap())
        .entries()
        .unwrap()
    {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let packed = std::mem::take(&mut bytes);
            GzDecoder::new(packed.as_slice())
                .read_to_end(&mut bytes)
                .unwrap();
        }
        members.push((name, bytes));
    }
    members
}

/// The members that show `secret`.
pub fn showing(archive: &Path, secret: &str) -> Vec<String> {
    let shows = |bytes: &[u8]| {
        bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes())
    };
    members(archive)
        .into_iter()
        .filter(|(_, bytes)| shows(bytes))
        .map(|(name, _)| name)
        .collect()
}

#[tokio::test]
async fn masks_environment_secrets_in_archives_of_both_runtimes() {
    for dialect in [Dialect::Containerd, Dialect::CriO] {
        let plain = World::beside(dialect, |_| {}).await;
        let shown = showing(&take(&plain).await, SECRET);
        assert!(
            shown
                .iter()
                .any(|name| name.starts_with("checkpoint/pages-")),
            "{shown:?}"
        );
        assert!(shown.contains(&"spec.dump".to_owned()), "{shown:?}");
        let world = redacting(dialect, environment(), |_| {}).await;
        let archive = take(&world).await;
        assert_eq!(
            showing(&archive, SECRET),
            Vec::<String>::new(),
            "{dialect:?}"
        );
        let told = metadata(&archive);
        assert_eq!(told["sha256"], sha256sum(&archive));
        assert_eq!(
            told["redaction"]["passes"], 1,
            "the runtime told the values before the pages came: {told}"
        );
    }
}

#[tokio::test]
async fn metadata_record_and_trace_count_masks_without_values() {
    let receiver = Receiver::start().await;
    let endpoint = format!("http://{}", receiver.grpc);
    let world = redacting(Dialect::Containerd, environment(), |config| {
        set(config, "telemetry.otlp-endpoint", endpoint);
    })
    .await;
    let archive = take(&world).await;
    let summary = &metadata(&archive)["redaction"];
    let rules = summary["rules"].as_array().unwrap();
    let rule = rules
        .iter()
        .find(|rule| rule["name"] == "telling-names")
        .unwrap();
    assert!(
        rule["places"]["memory"]["masks"].as_u64().unwrap() >= 1,
        "{rule}"
    );
    assert!(
        rule["places"]["spec"]["bytes"].as_u64().unwrap() >= SECRET.len() as u64,
        "{rule}"
    );
    let records = world.audit();
    let names = &records[0]["plan"]["mask"];
    assert!(
        names.as_array().unwrap().contains(&"telling-names".into()),
        "{names}"
    );
    assert_eq!(records[0]["plan"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(records[1]["redaction"], *summary);
    let spans = receiver
        .wait(|spans| spans.iter().any(|seen| seen.span.name == "archive"))
        .await;
    let span = spans
        .iter()
        .find(|seen| seen.span.name == "archive")
        .unwrap();
    assert!(
        span.attribute("checkpoint_gateway.redaction.masks")
            .parse::<u64>()
            .unwrap()
            >= 2
    );
    assert_eq!(span.attribute("checkpoint_gateway.redaction.passes"), "1");
    let told = format!(
        "{summary}{records:?}{spans:?}{}",
        world.gateway.log().join("\n")
    );
    assert!(!told.contains(SECRET));
}

#[tokio::test]
async fn a_runtimes_own_file_is_redacted_too_and_does_not_stay() {
    let file = |config: &mut toml::Table| set(config, "checkpoints.transport", "file");
    let world = redacting(Dialect::Containerd, environment(), file).await;
    let archive = take(&world).await;
    assert_eq!(metadata(&archive)["transport"], "file");
    assert_eq!(showing(&archive, SECRET), Vec::<String>::new());
    assert_eq!(
        std::fs::read_dir(world.checkpoints().join(".incoming"))
            .unwrap()
            .count(),
        0
    );
    assert_eq!(world.published().len(), 2, "{:?}", world.published());
}

#[tokio::test]
async fn an_entry_that_is_dropped_is_not_there() {
    let world = redacting(
        Dialect::Containerd,
        secrets(&json!({ "drop": ["container.log"] })),
        |_| {},
    )
    .await;
    let archive = take(&world).await;
    assert!(
        !members(&archive)
            .iter()
            .any(|(name, _)| name == "container.log")
    );
    let dropped = &metadata(&archive)["redaction"]["dropped"][0];
    assert_eq!(
        (&dropped["entry"], &dropped["entries"]),
        (&"container.log".into(), &1.into())
    );
}

#[tokio::test]
async fn a_plan_that_cannot_be_carried_out_means_no_checkpoint() {
    let world = redacting(
        Dialect::Containerd,
        secrets(&json!({ "drop": ["spec.dump"] })),
        |_| {},
    )
    .await;
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (500, "redaction-bad-rule")
    );
    assert_eq!(
        (world.node.checkpoint_calls(), world.published()),
        (0, Vec::new())
    );
}

#[tokio::test]
async fn fails_if_the_runtime_cannot_report_the_environment() {
    let world = redacting(Dialect::Containerd, environment(), |_| {}).await;
    let moment = Moment::Call(Method::ContainerStatus);
    world.node.behave(Fault::Fail(
        moment,
        Code::Internal,
        "it is a bad day".to_owned(),
    ));
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "runtime-unavailable")
    );
    assert_eq!(world.node.checkpoint_calls(), 0);
}

/// What the plan hides of the first request, by a part of its values.
const HIDDEN_VALUES: [&str; 2] = ["a-very-particular", "localhost/app:1"];

/// A world whose plan hides fields of requests, after a request with such fields.
async fn hiding(receiver: &Receiver) -> World {
    let endpoint = format!("http://{}", receiver.grpc);
    let hide = json!({ "hide": ["identity.user", "source-address", "target.image", "reason"] });
    let world = redacting(Dialect::Containerd, secrets(&hide), |config| {
        set(config, "telemetry.otlp-endpoint", endpoint);
    })
    .await;
    let client = world
        .client("a-very-particular-user")
        .with_header("x-checkpoint-reason", "a-very-particular-reason");
    assert_eq!(client.post(PATH).await.status, StatusCode::OK);
    world
}

/// Checks that the text and the log have no hidden value.
fn check_hidden(world: &World, text: &str) {
    let log = world.gateway.log().join("\n");
    for hidden in HIDDEN_VALUES {
        assert!(!text.contains(hidden) && !log.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn hidden_fields_are_in_no_record_span_or_log_line() {
    let receiver = Receiver::start().await;
    let world = hiding(&receiver).await;
    let records = world.audit();
    for record in &records {
        assert!(
            record["user"].is_null() && record["source_address"].is_null(),
            "{record}"
        );
    }
    assert_eq!(
        records[1]["hidden"],
        json!(["identity.user", "reason", "source-address", "target.image"])
    );
    let is_request = |seen: &Seen| seen.span.name.starts_with("POST /");
    let spans = receiver.wait(|spans| spans.iter().any(is_request)).await;
    check_hidden(&world, &format!("{records:?}{spans:?}"));
    let request = spans.iter().find(|seen| is_request(seen)).unwrap();
    assert_eq!(request.attribute("client.address"), "");
}

#[tokio::test]
async fn hidden_fields_stay_hidden_in_later_requests() {
    let receiver = Receiver::start().await;
    let world = hiding(&receiver).await;
    let id = world.audit()[1]["checkpoint_id"].clone();
    let checkpoint = format!("/v1/checkpoints/{}", id.as_str().unwrap());
    let later = world.client("alice");
    for path in [
        checkpoint.clone(),
        format!("{checkpoint}/archive"),
        "/v1/checkpoints".to_owned(),
    ] {
        assert_eq!(later.get(&path).await.status, StatusCode::OK, "{path}");
    }
    let hold = format!("{checkpoint}/hold");
    let pinned = later.send(http::Method::PUT, &hold).await;
    assert_eq!(pinned.status, StatusCode::OK);
    assert_eq!(later.post(PATH).await.status, StatusCode::OK);
    let records = world.audit();
    let inspected = records.iter().find(|record| record["action"] == "inspect");
    let inspected = inspected.unwrap();
    assert_eq!(
        inspected["hidden"],
        json!(["archive.created_by", "target.image"])
    );
    assert_eq!(inspected["user"], "alice", "the later caller is not hidden");
    check_hidden(&world, &format!("{records:?}"));
}
