//! The answers that the suite draws from the running gateway to hold against its OpenAPI description.

use std::collections::BTreeSet;

use gateway_node::{Fault, Gate, Moment};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tonic::Code;

use super::operations;
use crate::policies::{allowlist, component, governed};
use crate::support::described::operation;
use crate::support::world::{PATH, set};
use crate::support::{Answer, Client, World};

const NO_ID: &str = "/v1/checkpoints/01890a5d-ac96-774b-bcce-b302099a8057";

/// Calls, and collects the successful statuses of each call. The client checks each answer against the document.
struct Tour {
    client: Client,
    seen: BTreeSet<(&'static str, StatusCode)>,
}

impl Tour {
    async fn call(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        status: u16,
    ) -> Answer {
        let client = headers
            .iter()
            .fold(self.client.clone(), |client, (name, value)| {
                client.with_header(name, value)
            });
        let answer = client.send(method.clone(), path).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{method} {path}: {answer:?}"
        );
        let called =
            operation(&method, path).unwrap_or_else(|| panic!("{method} {path} is not described"));
        assert!(
            answer.headers.contains_key("x-request-id")
                && answer.headers.contains_key("x-trace-id")
        );
        if answer
            .headers
            .get("content-type")
            .is_none_or(|kind| kind != "application/problem+json")
        {
            self.seen
                .insert((called["operationId"].as_str().unwrap(), answer.status));
        }
        answer
    }

    /// A problem with this code.
    async fn problem(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        status: u16,
        code: &str,
    ) {
        let answer = self.call(method, path, headers, status).await;
        assert_eq!(answer.code(), code, "{path}");
    }
}

/// The described answers that are not problems.
fn described() -> BTreeSet<(&'static str, StatusCode)> {
    let mut described = BTreeSet::new();
    for (_, _, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            if response["content"]
                .get("application/problem+json")
                .is_none()
            {
                described.insert((
                    operation["operationId"].as_str().unwrap(),
                    status.parse().unwrap(),
                ));
            }
        }
    }
    described
}

/// A world that redacts, and keeps originals sealed.
async fn world() -> World {
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let originals = json!({ "keep": "sealed", "recipients": [recipient] });
    let redactors = json!([
        { "name": "environment", "file": component("redact-environment") },
        { "name": "secrets", "file": component("redact-secrets"), "settings": { "drop": ["container.log"] } },
    ]);
    World::with(|config| {
        set(config, "policy-engine.cache-directory", "");
        governed(
            config,
            &json!([allowlist(&["shop"]), redactors[0], redactors[1]]),
        );
        config.insert(
            "originals".to_owned(),
            toml::Value::try_from(originals).unwrap(),
        );
    })
    .await
}

#[tokio::test]
async fn every_kind_of_answer_is_as_it_is_described() {
    let world = world().await;
    let mut tour = Tour {
        client: world.client("alice"),
        seen: BTreeSet::new(),
    };
    let why = [("x-checkpoint-reason", "INC-4711")];
    let taken = tour.call(Method::POST, PATH, &why, 200).await.json();
    let checkpoint = crate::storage::metadata(taken["items"][0].as_str().unwrap().as_ref());
    let of_all = [
        ("redaction", &checkpoint["redaction"]["rules"][0]),
        ("drop", &checkpoint["redaction"]["dropped"][0]),
        ("original", &checkpoint["original"]),
    ];
    assert!(
        of_all.iter().all(|(_, part)| part.is_object()),
        "{checkpoint}"
    );
    look(&mut tour, &checkpoint).await;
    change(&mut tour, &checkpoint).await;
    tour.call(Method::GET, "/v1/whoami", &[], 200).await;
    tour.call(Method::GET, "/openapi.json", &[], 200).await;
    let gate = Gate::closed();
    world
        .node
        .behave(Fault::Hold(Moment::BeforeDump, gate.clone()));
    tour.call(Method::POST, PATH, &[("prefer", "respond-async")], 202)
        .await;
    gate.open();
    assert_eq!(
        tour.seen,
        described(),
        "an answer is described that was never seen, or the reverse"
    );
}

async fn look(tour: &mut Tour, checkpoint: &Value) {
    let one = format!("/v1/checkpoints/{}", checkpoint["id"].as_str().unwrap());
    let archive = format!("{one}/archive");
    let etag = format!("\"{}\"", checkpoint["sha256"].as_str().unwrap());
    let listed = tour
        .call(Method::GET, "/v1/checkpoints?limit=1", &[], 200)
        .await
        .json();
    assert_eq!(listed["items"][0]["id"], checkpoint["id"]);
    tour.call(Method::GET, &one, &[], 200).await;
    tour.call(Method::GET, &archive, &[], 200).await;
    let original = tour
        .call(Method::GET, &format!("{archive}?view=original"), &[], 200)
        .await;
    assert_eq!(original.header("content-type"), "application/octet-stream");
    tour.call(
        Method::GET,
        &archive,
        &[("range", "bytes=10-"), ("if-range", &etag)],
        206,
    )
    .await;
    tour.call(Method::GET, &archive, &[("if-none-match", &etag)], 304)
        .await;
    tour.call(
        Method::GET,
        &archive,
        &[("range", "bytes=999999999999-")],
        416,
    )
    .await;
}

async fn change(tour: &mut Tour, checkpoint: &Value) {
    let one = format!("/v1/checkpoints/{}", checkpoint["id"].as_str().unwrap());
    let hold = format!("{one}/hold");
    tour.call(
        Method::PUT,
        &hold,
        &[("x-checkpoint-reason", "evidence")],
        200,
    )
    .await;
    let pinned = tour.call(Method::GET, &one, &[], 200).await.json();
    assert_eq!(pinned["hold"]["reason"], "evidence");
    tour.problem(Method::DELETE, &one, &[], 409, "held").await;
    tour.call(Method::DELETE, &hold, &[], 204).await;
    tour.call(Method::DELETE, &one, &[], 204).await;
}

/// The problems that every call can answer with, whatever its path.
async fn common_problems(tour: &mut Tour, world: &World) {
    let id = &NO_ID[16..];
    for (template, method, _) in operations() {
        let path = template.replace("{id}", id).replace(['{', '}'], "");
        for (header, value, status, code) in [
            ("accept", "text/html", 406, "not-acceptable"),
            ("x-checkpoint-reason", "", 400, "bad-reason"),
        ] {
            let headers = [(header, value)];
            tour.problem(method.clone(), &path, &headers, status, code)
                .await;
        }
        let body = vec![b'x'; 1 << 19].into();
        let large = tour.client.try_send(method.clone(), &path, body).await;
        assert_eq!(large.unwrap().code(), "body-too-large", "{path}");
        let nobody = world.anonymous().send(method.clone(), &path).await;
        assert_eq!(nobody.code(), "unauthenticated", "{path}");
        if template.contains("{id}") {
            tour.problem(method.clone(), &path, &[], 404, "checkpoint-not-found")
                .await;
            let wrong = path.replace(id, "one");
            tour.problem(method, &wrong, &[], 400, "bad-id").await;
        }
    }
}

#[tokio::test]
async fn problems_of_every_call_are_as_they_are_described() {
    let world = World::new().await;
    let mut tour = Tour {
        client: world.client("alice"),
        seen: BTreeSet::new(),
    };
    common_problems(&mut tour, &world).await;
    let (all, soon) = (
        format!("{NO_ID}/archive?view=all"),
        "/checkpoint/shop/cart-0/app?timeout=soon",
    );
    for (method, path, status, code) in [
        (Method::GET, "/v1/checkpoints?limit=0", 400, "bad-query"),
        (Method::GET, &all, 400, "bad-query"),
        (
            Method::POST,
            "/checkpoint/SHOP/cart-0/app",
            400,
            "bad-target",
        ),
        (
            Method::POST,
            "/checkpoint/%73hop/cart-0/app",
            400,
            "bad-path",
        ),
        (Method::POST, soon, 400, "bad-timeout"),
        (
            Method::POST,
            "/checkpoint/shop/cart-9/app",
            404,
            "pod-not-found",
        ),
    ] {
        tour.problem(method, path, &[], status, code).await;
    }
    let failure = Fault::Fail(Moment::BeforeDump, Code::Unknown, "criu failed".into());
    world.node.behave(failure);
    tour.problem(Method::POST, PATH, &[], 500, "runtime-error")
        .await;
    assert_eq!(world.client("mallory").post(PATH).await.code(), "denied");
}

#[test]
#[should_panic(expected = "is described otherwise")]
fn an_undescribed_answer_fails_every_test() {
    let mut headers = http::HeaderMap::new();
    for (name, value) in [
        ("x-request-id", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("cache-control", "no-store"),
        ("content-type", "application/json"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let body = json!({ "items": [], "next": null, "total": 0 })
        .to_string()
        .into();
    let answer = Answer {
        status: StatusCode::OK,
        headers,
        body,
    };
    crate::support::described::check(&Method::GET, "/v1/checkpoints", &answer);
}
