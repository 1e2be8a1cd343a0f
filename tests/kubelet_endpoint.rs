//! `POST /checkpoint/{namespace}/{pod}/{container}`: what the kubelet answers, and where the gateway differs.

mod runtime_errors;

use gateway_node::{ContainerSpec, Pod};
use gateway_server::Route;
use http::{Method, StatusCode};

use crate::support::world::PATH;
use crate::support::{Answer, World};

async fn refused(world: &World, path: &str, status: u16, code: &str) -> Answer {
    let answer = world.client("alice").post(path).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (status, code),
        "{path}"
    );
    assert_eq!(
        world.node.checkpoint_calls(),
        0,
        "the runtime was touched: {path}"
    );
    answer
}

#[tokio::test]
async fn a_permitted_request_gets_the_path_of_a_new_archive() {
    let world = World::new().await;
    let answer = world.client("alice").post(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    let body = answer.json();
    let items = body["items"].as_array().unwrap();
    assert_eq!((body.as_object().unwrap().len(), items.len()), (1, 1));
    let path = std::path::Path::new(items[0].as_str().unwrap());
    assert_eq!(path.parent().unwrap(), world.checkpoints());
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("checkpoint-cart-0_shop-app-20") && name.ends_with("Z.tar"),
        "{name}"
    );
    assert_eq!(world.published(), [name.to_owned(), format!("{name}.json")]);
}

#[tokio::test]
async fn two_requests_in_one_second_do_not_share_a_file() {
    let world = World::new().await;
    let first = world.client("alice").post(PATH).await.json();
    let second = world.client("alice").post(PATH).await.json();
    assert_ne!(first["items"], second["items"]);
    assert_eq!(world.published().len(), 4);
}

#[tokio::test]
async fn no_call_is_answered_without_a_credential() {
    let world = World::new().await;
    for call in Route::ALL {
        let path = call.template().replace(['{', '}'], "");
        let answer = world.anonymous().send(call.method(), &path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (401, "unauthenticated"),
            "{path}"
        );
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let answer = world.anonymous().post("/nothing/here").await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "nobody unknown learns which paths there are"
    );
    assert_eq!(world.runtime_calls(), 0);
}

#[tokio::test]
async fn a_denied_request_names_the_policy_and_takes_nothing() {
    let world = World::new().await;
    let answer = world.client("mallory").post(PATH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (403, "denied")
    );
    let problem = answer.json();
    assert_eq!(problem["policy"], "allow-list");
    assert_eq!(problem["denial"], "not-on-allow-list");
    assert!(answer.detail().contains("allow-list"), "{problem}");
    assert_eq!(world.node.checkpoint_calls(), 0);
    let outcome = world.audit().pop().unwrap();
    assert_eq!(
        (&outcome["event"], &outcome["status"], &outcome["user"]),
        (&"outcome".into(), &403.into(), &"mallory".into())
    );
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    let world = World::new().await;
    for method in [
        Method::GET,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
    ] {
        let answer = world.client("alice").send(method.clone(), PATH).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (405, "method-not-allowed"),
            "{method}"
        );
        assert_eq!(answer.header("allow"), "POST");
    }
    assert_eq!(world.runtime_calls(), 0);
}

#[tokio::test]
async fn another_number_of_segments_is_not_found() {
    let world = World::new().await;
    for path in [
        "/checkpoint/shop/cart-0",
        "/checkpoint/shop/cart-0/app/more",
        "/checkpoint",
        "/",
    ] {
        refused(&world, path, 404, "no-such-path").await;
    }
    assert_eq!(world.runtime_calls(), 0);
}

#[tokio::test]
async fn a_caller_who_takes_no_json_gets_none() {
    let world = World::new().await;
    let answer = world
        .client("alice")
        .with_header("accept", "text/html")
        .post(PATH)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (406, "not-acceptable")
    );
    assert_eq!(world.runtime_calls(), 0);
}

#[tokio::test]
async fn an_unknown_namespace_or_pod_gets_the_kubelets_words() {
    let world = World::new().await;
    for path in ["/checkpoint/bank/cart-0/app", "/checkpoint/shop/cart-1/app"] {
        let answer = refused(&world, path, 404, "pod-not-found").await;
        assert_eq!(answer.detail(), "pod does not exist");
    }
}

#[tokio::test]
async fn an_unknown_container_gets_the_kubelets_words() {
    let world = World::new().await;
    let answer = refused(
        &world,
        "/checkpoint/shop/cart-0/db",
        404,
        "container-not-found",
    )
    .await;
    assert_eq!(answer.detail(), "container db does not exist");
}

#[tokio::test]
async fn every_container_of_a_pod_counts() {
    let world = World::new().await;
    let sleeper = |name: &str| ContainerSpec::new(name, ["/bin/sleep", "1000"]);
    world
        .node
        .run_pod(Pod::new(
            "shop",
            "web",
            [sleeper("app"), sleeper("init"), sleeper("debugger-x7z")],
        ))
        .await
        .unwrap();
    for container in ["init", "debugger-x7z"] {
        let answer = world
            .client("alice")
            .post(&format!("/checkpoint/shop/web/{container}"))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{container}: {answer:?}");
    }
}

#[tokio::test]
async fn a_container_that_does_not_run_gets_the_kubelets_words() {
    let world = World::new().await;
    world
        .node
        .stop_container(&world.pod.containers[0].id)
        .unwrap();
    let answer = refused(&world, PATH, 500, "container-not-running").await;
    assert_eq!(
        answer.detail(),
        "checkpointing of shop/cart-0/app failed (container app not found)"
    );
}

#[tokio::test]
async fn a_name_that_two_running_containers_bear_is_not_guessed_at() {
    let world = World::new().await;
    world
        .node
        .run_pod(crate::support::world::pod("cart-0"))
        .await
        .unwrap();
    refused(&world, PATH, 409, "container-ambiguous").await;
}

#[tokio::test]
async fn a_timeout_that_is_no_number_of_seconds_is_a_bad_request() {
    let world = World::new().await;
    for query in [
        "timeout=soon",
        "timeout=-1",
        "timeout=1&timeout=1",
        "timeout=1.5",
        "timeout=",
    ] {
        let answer = refused(&world, &format!("{PATH}?{query}"), 400, "bad-timeout").await;
        assert!(
            answer
                .detail()
                .starts_with("cannot parse value of timeout parameter"),
            "{query}"
        );
    }
    assert_eq!(world.runtime_calls(), 0);
    let answer = world
        .client("alice")
        .post(&format!("{PATH}?timeout=0"))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "zero means the default");
}

#[tokio::test]
async fn rejects_every_trick_with_a_path_before_any_look_up() {
    let world = World::new().await;
    let client = world.client("alice");
    let long = "p".repeat(254);
    for segment in [
        "..",
        ".",
        "%2e%2e",
        "%2f",
        "%252f",
        "%00",
        ";",
        "a;b",
        "\\",
        "SHOP",
        long.as_str(),
        "",
        "a_b",
    ] {
        for path in [
            format!("/checkpoint/{segment}/cart-0/app"),
            format!("/checkpoint/shop/{segment}/app"),
            format!("/checkpoint/shop/cart-0/{segment}"),
        ] {
            let answer = client.post(&path).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
            assert!(
                ["bad-path", "bad-target"].contains(&answer.code().as_str()),
                "{path}"
            );
        }
    }
    for path in [
        "//checkpoint/shop/cart-0/app",
        "/checkpoint/shop/cart-0/app/",
        "/checkpoint/shop/../shop/cart-0/app",
    ] {
        assert_eq!(
            client.post(path).await.status,
            StatusCode::BAD_REQUEST,
            "{path}"
        );
    }
    assert_eq!(world.runtime_calls(), 0);
}

#[tokio::test]
async fn a_reason_is_recorded_and_one_that_is_none_is_refused() {
    let world = World::new().await;
    let answer = world
        .client("alice")
        .with_header("x-checkpoint-reason", "INC-4711")
        .post(PATH)
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(world.audit()[0]["reason"], "INC-4711");
    for reason in ["x".repeat(1025), String::new()] {
        let answer = world
            .client("alice")
            .with_header("x-checkpoint-reason", &reason)
            .post(PATH)
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "bad-reason")
        );
    }
    let twice = world
        .client("alice")
        .with_header("x-checkpoint-reason", "a")
        .with_header("x-checkpoint-reason", "b");
    assert_eq!(twice.post(PATH).await.code(), "bad-reason");
}

#[tokio::test]
async fn a_body_is_not_needed_and_a_large_one_not_taken() {
    let world = World::new().await;
    let client = world.client("alice");
    let small = client
        .try_send(Method::POST, PATH, "{}".into())
        .await
        .unwrap();
    assert_eq!(small.status, StatusCode::OK);
    let large = client
        .try_send(Method::POST, PATH, vec![b'x'; 1 << 19].into())
        .await
        .unwrap();
    assert_eq!(
        (large.status.as_u16(), large.code().as_str()),
        (413, "body-too-large")
    );
    assert_eq!(world.node.checkpoint_calls(), 1);
}
