//! Traces, logs and metrics: what they tell, what they keep to themselves, and that they cost no request.

use http::StatusCode;

use crate::support::receiver::{Seen, hex};
use crate::support::world::{PATH, SECRET, set};
use crate::support::{Receiver, World};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn named<'a>(spans: &'a [Seen], name: &str) -> &'a Seen {
    let found = spans.iter().find(|seen| seen.span.name == name);
    found.unwrap_or_else(|| {
        panic!(
            "no span {name}: {:?}",
            spans.iter().map(|s| &s.span.name).collect::<Vec<_>>()
        )
    })
}

fn has(name: &'static str) -> impl Fn(&[Seen]) -> bool {
    move |spans| spans.iter().any(|seen| seen.span.name == name)
}

async fn traced(receiver: &Receiver, protocol: &str) -> World {
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
    })
    .await
}

const REQUEST: &str = "POST /checkpoint/{namespace}/{pod}/{container}";
const CHECKPOINT_RPC: &str = "runtime.v1.RuntimeService/CheckpointContainer";

#[tokio::test]
async fn a_request_is_one_trace_from_the_handshake_to_the_archive() {
    let receiver = Receiver::start().await;
    let world = traced(&receiver, "grpc").await;
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK);
    let spans = receiver
        .wait(|spans| has(REQUEST)(spans) && has("checkpoint")(spans))
        .await;
    let root = named(&spans, REQUEST);
    assert!(root.span.parent_span_id.is_empty());
    assert!(
        spans
            .iter()
            .all(|seen| seen.trace_id() == root.trace_id() && seen.service == "checkpoint-gateway")
    );
    assert_eq!(answer.header("x-trace-id"), root.trace_id());
    let work = named(&spans, "checkpoint");
    for name in ["TLS handshake", "authn", "checkpoint"] {
        assert!(named(&spans, name).is_below(root), "{name}");
    }
    for name in ["resolve", "policy", "audit", "cri", "archive"] {
        assert!(named(&spans, name).is_below(work), "{name}");
    }
    for name in ["receive", "hash", "write", "sync", "publish"] {
        let step = named(&spans, name);
        assert!(step.is_below(named(&spans, "archive")), "{name}");
        assert_eq!(step.attribute("checkpoint_gateway.step.file"), "archive");
    }
    assert!(named(&spans, CHECKPOINT_RPC).is_below(named(&spans, "cri")));
    assert!(
        named(&spans, "runtime.v1.RuntimeService/ListContainers")
            .is_below(named(&spans, "resolve"))
    );
}

#[tokio::test]
async fn spans_speak_opentelemetrys_words() {
    let receiver = Receiver::start().await;
    let world = traced(&receiver, "http/protobuf").await;
    world.client("alice").post(PATH).await;
    let spans = receiver
        .wait(|spans| has(REQUEST)(spans) && has("checkpoint")(spans))
        .await;
    let root = named(&spans, REQUEST);
    assert_eq!(root.span.kind, 2, "a server span");
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.response.status_code", "200"),
        ("http.route", "/checkpoint/{namespace}/{pod}/{container}"),
        ("url.path", PATH),
        ("url.scheme", "https"),
        ("client.address", "127.0.0.1"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(root.attribute(key), value, "{key}");
    }
    let work = named(&spans, "checkpoint");
    for (key, value) in [
        ("k8s.namespace.name", "shop"),
        ("k8s.pod.name", "cart-0"),
        ("k8s.container.name", "app"),
        ("k8s.pod.uid", &world.pod.uid),
        ("container.id", &world.pod.containers[0].id),
        ("user.name", "alice"),
    ] {
        assert_eq!(work.attribute(key), value, "{key}");
    }
    let rpc = named(&spans, CHECKPOINT_RPC);
    assert_eq!(rpc.span.kind, 3, "a client span");
    for (key, value) in [
        ("rpc.system.name", "grpc"),
        ("rpc.method", CHECKPOINT_RPC),
        ("rpc.response.status_code", "OK"),
    ] {
        assert_eq!(rpc.attribute(key), value, "{key}");
    }
    assert_eq!(
        named(&spans, "archive").attribute("checkpoint_gateway.archive.transport"),
        "fifo"
    );
}

#[tokio::test]
async fn a_callers_trace_goes_on_through_the_gateway_to_the_runtime() {
    let receiver = Receiver::start().await;
    let world = traced(&receiver, "grpc").await;
    // The last two digits say "not sampled": nobody goes unseen by asking for it.
    let client = world
        .client("alice")
        .with_header("traceparent", &format!("00-{TRACE}-{CALLER}-00"));
    let answer = client.post(PATH).await;
    assert_eq!(answer.header("x-trace-id"), TRACE);
    let spans = receiver
        .wait(|spans| has(REQUEST)(spans) && has(CHECKPOINT_RPC)(spans))
        .await;
    let parent = hex(&named(&spans, REQUEST).span.parent_span_id);
    assert_eq!(parent, CALLER);
    let rpc = hex(&named(&spans, CHECKPOINT_RPC).span.span_id);
    let metadata = world.node.last_metadata().unwrap();
    assert_eq!(
        metadata.get("traceparent").unwrap(),
        &format!("00-{TRACE}-{rpc}-01")
    );
}

#[tokio::test]
async fn a_malformed_traceparent_begins_a_new_trace() {
    let world = World::new().await;
    for header in [
        "00-0-0-00",
        "garbage",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    ] {
        let answer = world
            .client("alice")
            .with_header("traceparent", header)
            .get("/v1/whoami")
            .await;
        assert_eq!(answer.header("x-trace-id").len(), 32, "{header}");
    }
}

#[tokio::test]
async fn error_log_record_and_metadata_have_the_trace_id() {
    let world = World::new().await;
    let header = |n: u8| format!("00-{TRACE}-{CALLER}-0{n}");
    let denied = world
        .client("mallory")
        .with_header("traceparent", &header(1))
        .post(PATH)
        .await;
    assert_eq!(denied.json()["trace_id"], TRACE);
    let allowed = world
        .client("alice")
        .with_header("traceparent", &header(1))
        .post(PATH)
        .await;
    let archive = allowed.json()["items"][0].as_str().unwrap().to_owned();
    assert_eq!(
        crate::storage::metadata(archive.as_ref())["trace_id"],
        TRACE
    );
    assert!(
        world
            .audit()
            .iter()
            .all(|record| record["trace_id"] == TRACE)
    );
    for message in ["answered", "stored"] {
        let line = world
            .gateway
            .logged(|line| line["message"] == message)
            .await;
        assert!(
            line["spans"]
                .as_array()
                .unwrap()
                .iter()
                .any(|span| span["trace_id"] == TRACE),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_failure_shows_in_the_trace() {
    let receiver = Receiver::start().await;
    let world = traced(&receiver, "grpc").await;
    world.client("mallory").post(PATH).await;
    let spans = receiver
        .wait(|spans| has(REQUEST)(spans) && has("checkpoint")(spans))
        .await;
    assert_eq!(named(&spans, REQUEST).attribute("error.type"), "denied");
    assert_eq!(
        named(&spans, REQUEST).attribute("http.response.status_code"),
        "403"
    );
    assert_eq!(
        named(&spans, "policy").attribute("checkpoint_gateway.policy.allow-list"),
        "deny"
    );
    assert!(!has(CHECKPOINT_RPC)(&spans));
}

#[tokio::test]
async fn health_checks_make_no_traces() {
    let receiver = Receiver::start().await;
    let world = traced(&receiver, "grpc").await;
    crate::support::client::admin(world.gateway.admin, "/readyz?verbose").await;
    world.client("alice").get("/v1/whoami").await;
    let spans = receiver.wait(has("GET /v1/whoami")).await;
    assert!(
        spans
            .iter()
            .all(|seen| !seen.span.name.contains("RuntimeService")),
        "{spans:?}"
    );
}

#[tokio::test]
async fn an_exporter_that_is_down_costs_spans_and_no_request() {
    let world =
        World::with(|config| set(config, "telemetry.otlp-endpoint", "http://127.0.0.1:9")).await;
    assert_eq!(
        world.client("alice").post(PATH).await.status,
        StatusCode::OK
    );
    let dropped = "checkpoint_gateway_spans_dropped_total{reason=\"export-failed\"}";
    world.gateway.counted(dropped, 5.0).await;
}

#[tokio::test]
async fn sent_spans_are_counted() {
    let receiver = Receiver::start().await;
    let world = traced(&receiver, "grpc").await;
    world.client("alice").post(PATH).await;
    receiver
        .wait(|spans| has(REQUEST)(spans) && has("checkpoint")(spans))
        .await;
    world
        .gateway
        .counted("checkpoint_gateway_spans_sent_total", 8.0)
        .await;
}

#[tokio::test]
async fn secrets_are_in_no_log_span_or_metric_at_trace_level() {
    let receiver = Receiver::start().await;
    let world = traced(&receiver, "grpc").await;
    let token = world.credentials.token("alice");
    let client = world.anonymous().with_token(&token);
    assert_eq!(client.post(PATH).await.status, StatusCode::OK);
    client.post("/checkpoint/shop/none/app").await;
    world
        .anonymous()
        .with_token(&format!("{token}x"))
        .post(PATH)
        .await;
    let spans = receiver
        .wait(|spans| {
            spans
                .iter()
                .filter(|seen| seen.span.name == REQUEST)
                .count()
                >= 2
        })
        .await;
    let metrics = crate::support::client::admin(world.gateway.admin, "/metrics").await;
    let told = format!("{:?}\n{spans:?}\n{:?}", world.gateway.log(), metrics.body);
    let audit = std::fs::read_to_string(world.directory.path().join("audit.log")).unwrap();
    for secret in [SECRET, token.as_str(), token.rsplit('.').next().unwrap()] {
        assert!(
            !told.contains(secret) && !audit.contains(secret),
            "a secret got out"
        );
    }
    assert!(
        told.contains("answered") && told.contains("alice"),
        "and yet they tell what happened"
    );
}

#[tokio::test]
async fn metrics_count_by_names_of_ours_alone() {
    let world = World::new().await;
    world.client("alice").post(PATH).await;
    world.client("mallory").post(PATH).await;
    for n in 0..20 {
        world.client("alice").post(&format!("/made/up/{n}")).await;
    }
    let answer = crate::support::client::admin(world.gateway.admin, "/metrics").await;
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let requests: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("checkpoint_gateway_requests_total{"))
        .collect();
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert!(requests.contains(
        &"checkpoint_gateway_requests_total{action=\"create\",status=\"200\",code=\"\"} 1"
    ));
    assert!(requests.contains(
        &"checkpoint_gateway_requests_total{action=\"create\",status=\"403\",code=\"denied\"} 1"
    ));
    assert!(text.ends_with("# EOF\n"));
}
