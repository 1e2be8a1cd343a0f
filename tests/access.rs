//! Access to stored checkpoints: list, inspect, download, hold, delete.

mod records;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::policies::{allowlist, component, governed};
use crate::support::world::{PATH, SECRET, pod, set};
use crate::support::{Answer, World};

const NO_ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Takes a checkpoint and returns its metadata.
async fn taken(world: &World) -> Value {
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    crate::storage::metadata(answer.json()["items"][0].as_str().unwrap().as_ref())
}

fn path(checkpoint: &Value) -> String {
    format!("/v1/checkpoints/{}", checkpoint["id"].as_str().unwrap())
}

async fn fetch(world: &World, checkpoint: &Value, headers: &[(&str, &str)]) -> Answer {
    let client = headers
        .iter()
        .fold(world.client("alice"), |client, (name, value)| {
            client.with_header(name, value)
        });
    client.get(&format!("{}/archive", path(checkpoint))).await
}

/// The policy that says which groups may do what.
fn roles(rules: &Value) -> Value {
    json!([{ "name": "roles", "file": component("group-rbac"), "settings": { "rules": rules } }])
}

async fn governed_by(policies: Value) -> World {
    World::with(|config| {
        set(config, "policy-engine.cache-directory", "");
        governed(config, &policies);
    })
    .await
}

#[tokio::test]
async fn lists_and_inspects_a_checkpoint_without_values() {
    let world = World::new().await;
    let checkpoint = taken(&world).await;
    let listed = world.client("alice").get("/v1/checkpoints").await;
    assert_eq!(
        (listed.status, &listed.json()["items"][0]["id"]),
        (StatusCode::OK, &checkpoint["id"])
    );
    assert!(listed.json()["next"].is_null());
    let told = world.client("alice").get(&path(&checkpoint)).await.json();
    assert_eq!(told["sha256"], checkpoint["sha256"]);
    let inspection = &told["inspection"];
    assert!(
        inspection["env"]
            .as_array()
            .unwrap()
            .contains(&"API_KEY".into()),
        "{inspection}"
    );
    assert_eq!(
        inspection["processes"][0]["arguments"][0], "/bin/sh",
        "{inspection}"
    );
    assert!(!told.to_string().contains(SECRET));
}

#[tokio::test]
async fn a_list_is_filtered_and_paged() {
    let world = World::new().await;
    world.node.run_pod(pod("cart-1")).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, taken(&world).await["id"].clone());
    }
    assert_eq!(
        world
            .client("alice")
            .post("/checkpoint/shop/cart-1/app")
            .await
            .status,
        StatusCode::OK
    );
    let listed = async |query: &str| {
        let answer = world
            .client("alice")
            .get(&format!("/v1/checkpoints?{query}"))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
        let page = answer.json();
        let ids: Vec<_> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].clone())
            .collect();
        (ids, page["next"].as_str().map(str::to_owned))
    };
    let (first, next) = listed("pod=cart-0&limit=2").await;
    assert_eq!(first, ids[..2], "the newest come first");
    let (rest, end) = listed(&format!("pod=cart-0&limit=2&after={}", next.unwrap())).await;
    assert_eq!((rest.as_slice(), end), (&ids[2..], None));
    assert_eq!(listed("namespace=bank").await.0, Vec::<Value>::new());
    assert_eq!(
        listed("since=2999-01-01T00:00:00Z").await.0,
        Vec::<Value>::new()
    );
    assert_eq!(listed("").await.0.len(), 4);
    assert_eq!(
        world
            .client("alice")
            .get("/v1/checkpoints?limit=0")
            .await
            .code(),
        "bad-query"
    );
}

#[tokio::test]
async fn an_archive_is_fetched_whole_with_its_digest() {
    let world = World::new().await;
    let checkpoint = taken(&world).await;
    let archive = std::fs::read(checkpoint["path"].as_str().unwrap()).unwrap();
    let answer = fetch(&world, &checkpoint, &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer.body == archive,
        "{} bytes of {}",
        answer.body.len(),
        archive.len()
    );
    assert_eq!(answer.header("content-type"), "application/x-tar");
    assert_eq!(answer.header("content-length"), archive.len().to_string());
    let sha256 = checkpoint["sha256"].as_str().unwrap();
    assert_eq!(answer.header("etag"), format!("\"{sha256}\""));
    let digest: Vec<u8> = (0..32)
        .map(|byte| u8::from_str_radix(&sha256[2 * byte..2 * byte + 2], 16).unwrap())
        .collect();
    assert_eq!(
        answer.header("repr-digest"),
        format!("sha-256=:{}:", BASE64_STANDARD.encode(digest))
    );
}

#[tokio::test]
async fn a_broken_off_fetch_goes_on_where_it_was() {
    let world = World::new().await;
    let checkpoint = taken(&world).await;
    let archive = std::fs::read(checkpoint["path"].as_str().unwrap()).unwrap();
    let etag = format!("\"{}\"", checkpoint["sha256"].as_str().unwrap());
    let rest = fetch(
        &world,
        &checkpoint,
        &[("range", "bytes=1000-"), ("if-range", &etag)],
    )
    .await;
    assert_eq!(rest.status, StatusCode::PARTIAL_CONTENT);
    assert!(rest.body == archive[1000..]);
    assert_eq!(
        rest.header("content-range"),
        format!("bytes 1000-{}/{}", archive.len() - 1, archive.len())
    );
    let other = fetch(
        &world,
        &checkpoint,
        &[("range", "bytes=1000-"), ("if-range", "\"other\"")],
    )
    .await;
    assert_eq!(
        (other.status, other.body.len()),
        (StatusCode::OK, archive.len()),
        "it is another file now"
    );
    let beyond = fetch(&world, &checkpoint, &[("range", "bytes=999999999999-")]).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(
        beyond.header("content-range"),
        format!("bytes */{}", archive.len())
    );
    let known = fetch(&world, &checkpoint, &[("if-none-match", &etag)]).await;
    assert_eq!(
        (known.status, known.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
}

#[tokio::test]
async fn each_call_is_an_action_of_its_own_to_policies() {
    let verbs = |user: &str, verbs: &[&str]| json!({ "name": user, "users": [user], "actions": verbs, "namespaces": ["*"] });
    let world = governed_by(roles(&json!([
        verbs(
            "alice",
            &["create", "list", "inspect", "download", "hold", "delete"]
        ),
        verbs("reader", &["inspect"]),
    ])))
    .await;
    let checkpoint = taken(&world).await;
    let (path, reader) = (path(&checkpoint), world.client("reader"));
    assert_eq!(reader.get(&path).await.status, StatusCode::OK);
    assert_eq!(
        reader.get("/v1/checkpoints").await.json()["items"],
        json!([]),
        "what may not be listed is not shown"
    );
    for (method, path) in [
        (Method::GET, format!("{path}/archive")),
        (Method::GET, format!("{path}/archive?view=original")),
        (Method::PUT, format!("{path}/hold")),
        (Method::DELETE, format!("{path}/hold")),
        (Method::DELETE, path.clone()),
    ] {
        let answer = reader.send(method.clone(), &path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "denied"),
            "{method} {path}"
        );
        let record = world.audit().pop().unwrap();
        assert_eq!(
            (&record["user"], &record["status"]),
            (&"reader".into(), &403.into()),
            "{record}"
        );
    }
    assert_eq!(world.published().len(), 2);
}

#[tokio::test]
async fn asks_a_policy_bound_to_a_label_about_stored_checkpoints() {
    let mut deny = allowlist(&["nowhere"]);
    deny["name"] = "by-label".into();
    deny["pod-labels"] = json!({ "tier": "gold" });
    deny["actions"] = json!(["download"]);
    let world = governed_by(json!([allowlist(&["shop"]), deny])).await;
    let mut gold = pod("vault");
    gold.labels.insert("tier".to_owned(), "gold".to_owned());
    world.node.run_pod(gold).await.unwrap();
    let answer = world
        .client("alice")
        .post("/checkpoint/shop/vault/app")
        .await;
    let checkpoint = crate::storage::metadata(answer.json()["items"][0].as_str().unwrap().as_ref());
    let denied = fetch(&world, &checkpoint, &[]).await;
    assert_eq!(
        (denied.status.as_u16(), &denied.json()["policy"]),
        (403, &"by-label".into())
    );
    assert_eq!(
        fetch(&world, &taken(&world).await, &[]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_held_checkpoint_is_not_removed_until_it_is_let_go() {
    let world = World::new().await;
    let checkpoint = taken(&world).await;
    let (client, path) = (
        world
            .client("alice")
            .with_header("x-checkpoint-reason", "evidence"),
        path(&checkpoint),
    );
    let held = client
        .send(Method::PUT, &format!("{path}/hold"))
        .await
        .json();
    assert_eq!(
        (&held["hold"]["by"], &held["hold"]["reason"]),
        (&"alice".into(), &"evidence".into())
    );
    assert_eq!(client.get(&path).await.json()["hold"]["by"], "alice");
    let refused = client.send(Method::DELETE, &path).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (409, "held")
    );
    assert_eq!(
        client
            .send(Method::DELETE, &format!("{path}/hold"))
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        client.send(Method::DELETE, &path).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(world.published(), Vec::<String>::new());
    assert_eq!(client.get(&path).await.code(), "checkpoint-not-found");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::new().await;
    let client = world.client("alice");
    for path in [
        format!("/v1/checkpoints/{NO_ID}"),
        format!("/v1/checkpoints/{NO_ID}/archive"),
    ] {
        assert_eq!(
            client.get(&path).await.code(),
            "checkpoint-not-found",
            "{path}"
        );
    }
    let checkpoint = taken(&world).await;
    let original = client
        .get(&format!("{}/archive?view=original", path(&checkpoint)))
        .await;
    assert_eq!(
        (original.status.as_u16(), original.code().as_str()),
        (404, "original-not-kept")
    );
    assert_eq!(client.get("/v1/checkpoints/one").await.code(), "bad-id");
    let wrong = client.send(Method::POST, &path(&checkpoint)).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.header("allow")),
        (405, "GET, DELETE")
    );
    assert_eq!(
        world.anonymous().get("/v1/checkpoints").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn an_archive_that_was_changed_on_the_disk_is_not_served() {
    let world = World::new().await;
    let checkpoint = taken(&world).await;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(checkpoint["path"].as_str().unwrap())
        .unwrap();
    file.set_len(1024).unwrap();
    let answer = fetch(&world, &checkpoint, &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (500, "archive-altered")
    );
}
