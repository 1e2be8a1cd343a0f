//! A part of the gateway that panics while it serves a request, with a secret in what it says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_server::config::Environment;
use gateway_server::telemetry::{Telemetry, hide_panic_messages};
use gateway_server::{Config, Gateway};
use http::StatusCode;
use opentelemetry_sdk::trace::BatchSpanProcessor;
use serde_json::Value;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::policies::{allowlist, component, governed};
use crate::support::world::{PATH, set, write};
use crate::support::{self, Answer, Receiver, World};

const SAID: &str = "canary-of-the-panic-77aa";
/// The variable with the path of the panicking gateway's configuration.
const CONFIG: &str = "CHECKPOINT_GATEWAY_THAT_PANICS";
/// The call to the runtime, counted from 1, before which it panics next, in a file beside the configuration.
const NEXT: &str = "panic-at";

/// Panics before the call that the file names, and then no more.
fn fuse(file: &Path) {
    let Ok(text) = std::fs::read_to_string(file) else {
        return;
    };
    let left: u32 = text.parse().unwrap();
    if left > 1 {
        return std::fs::write(file, (left - 1).to_string()).unwrap();
    }
    std::fs::remove_file(file).unwrap();
    panic!("{SAID}");
}

#[test]
#[ignore = "the process that the next test starts"]
fn a_gateway_a_part_of_which_panics() {
    let Some(config) = std::env::var_os(CONFIG).map(PathBuf::from) else {
        return;
    };
    hide_panic_messages();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let file = config.with_file_name(NEXT);
        let config = Config::load(&config, &Environment::default()).unwrap();
        let telemetry = Telemetry::init(&config.telemetry, None::<BatchSpanProcessor>).unwrap();
        let headers = Arc::new(move || {
            fuse(&file);
            Vec::new()
        });
        let gateway = Gateway::start(&config, &telemetry, headers, CancellationToken::new())
            .await
            .unwrap();
        let (address, admin) = (gateway.address().unwrap(), gateway.admin_address().unwrap());
        // Only lines of the gateway are logged.
        tracing::info!(target: "gateway_server", %address, %admin, "serving");
        gateway.run().await;
    });
}

async fn world(receiver: &Receiver) -> World {
    let endpoint = format!("http://{}", receiver.grpc);
    let mut world = World::with(|config| {
        set(config, "policy-engine.cache-directory", "");
        set(config, "telemetry.otlp-endpoint", endpoint);
        set(config, "telemetry.otlp-audit-log", true);
        let redactor =
            serde_json::json!({ "name": "environment", "file": component("redact-environment") });
        governed(config, &serde_json::json!([allowlist(&["shop"]), redactor]));
    })
    .await;
    world.gateway.signal(rustix::process::Signal::TERM);
    world.gateway.wait().await;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "panics::a_gateway_a_part_of_which_panics",
        "--ignored",
        "--nocapture",
    ]);
    command
        .env(CONFIG, write(world.directory.path(), &world.config))
        .stdout(std::process::Stdio::null());
    world.gateway = support::Gateway::spawn(command).await.unwrap();
    world
}

/// Checks the answer to a request that panicked: everything is reported but the panic's message. Returns the answer's code and
/// the number of records.
async fn on_record(world: &World, answer: &Answer, lines_before: usize) -> (String, usize) {
    assert_eq!(
        answer.status,
        StatusCode::INTERNAL_SERVER_ERROR,
        "{answer:?}"
    );
    let id = answer.header("x-request-id");
    let line = world
        .gateway
        .logged_after(lines_before, |line| line["location"].is_string())
        .await;
    assert!(
        line["location"]
            .as_str()
            .unwrap()
            .contains("tests/panics.rs"),
        "{line}"
    );
    assert!(
        line["spans"].to_string().contains(id),
        "it tells the request: {line}"
    );
    let records: Vec<Value> = world
        .audit()
        .into_iter()
        .filter(|record| record["request_id"] == id)
        .collect();
    let outcomes: Vec<_> = records
        .iter()
        .filter(|record| record["event"] == "outcome")
        .collect();
    let [outcome] = &*outcomes else {
        panic!("{records:?}")
    };
    assert_eq!(
        (&outcome["status"], outcome["code"].as_str().unwrap()),
        (&500.into(), &*answer.code())
    );
    (answer.code(), records.len())
}

#[tokio::test]
async fn a_panic_ends_one_recorded_request_without_its_message() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let alice = world.client("alice");
    assert_eq!(alice.post(PATH).await.status, StatusCode::OK);
    let (mut answers, mut codes) = (Vec::new(), Vec::new());
    let file = world.directory.path().join(NEXT);
    for call in 1.. {
        let before = world.gateway.log().len();
        std::fs::write(&file, call.to_string()).unwrap();
        let answer = alice.post(PATH).await;
        if answer.status == StatusCode::OK {
            std::fs::remove_file(&file).unwrap();
            break;
        }
        codes.push(on_record(&world, &answer, before).await);
        answers.push(answer);
        // What the request held is free again, the container's turn with it.
        assert_eq!(
            alice.post(PATH).await.status,
            StatusCode::OK,
            "after call {call}"
        );
    }
    assert_eq!(
        codes.last(),
        Some(&("runtime-error".to_owned(), 2)),
        "the checkpoint itself was the last: {codes:?}"
    );
    assert!(
        codes.len() >= 4 && codes.contains(&("internal".to_owned(), 1)),
        "{codes:?}"
    );

    let audit = world.audit();
    let logs = receiver.wait_for_logs(audit.len()).await;
    let spans = receiver
        .wait(|spans| spans.iter().any(|seen| seen.span.name == "cri"))
        .await;
    let metrics = support::client::admin(world.gateway.admin, "/metrics").await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    let log = world.gateway.log().join("\n");
    let told = format!("{answers:?}{audit:?}{logs:?}{spans:?}{metrics}{log}");
    assert!(!told.contains(SAID), "what the panic said is told");
}
