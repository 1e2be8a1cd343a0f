//! Tests of the routes.

use super::*;
use http::header::ACCEPT;
use proptest::prelude::*;

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn route(method: Method, uri: &str, accept: Option<&str>) -> Result<Route, &'static str> {
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(accept) = accept {
        request = request.header(ACCEPT, accept);
    }
    Route::of(&request.body(()).unwrap()).map_err(|error| error.answer().code)
}

fn post(uri: &str) -> Result<Route, &'static str> {
    route(Method::POST, uri, None)
}

fn timeout_of(query: &str) -> Result<Option<u32>, &'static str> {
    match post(&format!("/checkpoint/shop/cart-0/app?{query}"))? {
        Route::Checkpoint {
            timeout_seconds, ..
        } => Ok(timeout_seconds),
        other => panic!("another call: {other:?}"),
    }
}

#[test]
fn parses_the_kubelets_path() {
    let target = "shop/cart-0/app".parse().unwrap();
    let expected = Route::Checkpoint {
        target,
        timeout_seconds: None,
    };
    assert_eq!(post("/checkpoint/shop/cart-0/app"), Ok(expected));
}

#[test]
fn rejects_a_wrong_number_of_segments() {
    for uri in [
        "/",
        "/checkpoint",
        "/checkpoint/a/b",
        "/checkpoint/a/b/c/d",
        "/v1",
        "/v1/whoami/x",
        "/Checkpoint/a/b/c",
    ] {
        assert_eq!(post(uri), Err("no-such-path"), "{uri}");
    }
}

#[test]
fn rejects_ambiguous_paths() {
    let long = "p".repeat(254);
    for segment in [
        "..",
        ".",
        "%2e%2e",
        "%2f",
        "%252f",
        "%00",
        "a;b",
        "a\\b",
        "A",
        "",
        long.as_str(),
    ] {
        for uri in [
            format!("/checkpoint/{segment}/pod/app"),
            format!("/checkpoint/shop/{segment}/app"),
            format!("/checkpoint/shop/pod/{segment}"),
        ] {
            assert!(
                matches!(post(&uri), Err("bad-path" | "bad-target")),
                "{uri}: {:?}",
                post(&uri)
            );
        }
    }
    for uri in [
        "//checkpoint/a/b/c",
        "/checkpoint/a/b/c/",
        "/checkpoint/a//b/c",
        "/checkpoint/a/../b/c",
    ] {
        assert_eq!(post(uri), Err("bad-path"), "{uri}");
    }
}

#[test]
fn parses_the_timeout_as_whole_seconds() {
    assert_eq!(timeout_of("timeout=30"), Ok(Some(30)));
    assert_eq!(
        timeout_of("timeout=%330"),
        Ok(Some(30)),
        "a query is decoded, as the kubelet does"
    );
    assert_eq!(timeout_of("timeout=0"), Ok(None));
    assert_eq!(timeout_of("other=1"), Ok(None));
    for query in [
        "timeout=",
        "timeout=1s",
        "timeout=1.5",
        "timeout=-1",
        "timeout=1&timeout=1",
        "timeout=99999999999",
    ] {
        assert_eq!(timeout_of(query), Err("bad-timeout"), "{query}");
    }
}

#[test]
fn rejects_other_methods() {
    for template in Route::ALL.map(Operation::template) {
        let uri = template.replace("{id}", ID).replace(['{', '}'], "");
        for method in [
            Method::GET,
            Method::PUT,
            Method::POST,
            Method::DELETE,
            Method::HEAD,
            Method::OPTIONS,
        ] {
            let there_is = Route::ALL
                .iter()
                .any(|call| (call.template(), call.method()) == (template, method.clone()));
            let expected = if there_is {
                Ok((template, method.clone()))
            } else {
                Err("method-not-allowed")
            };
            let read =
                route(method.clone(), &uri, None).map(|route| (route.template(), route.method()));
            assert_eq!(read, expected, "{method} {uri}");
        }
    }
}

#[test]
fn parses_checkpoint_ids() {
    let id = ID.parse().unwrap();
    let get = |uri: &str| route(Method::GET, uri, None);
    assert_eq!(
        get(&format!("/v1/checkpoints/{ID}")),
        Ok(Route::Inspect(id))
    );
    for (query, original) in [
        ("", false),
        ("?view=redacted", false),
        ("?view=original", true),
    ] {
        assert_eq!(
            get(&format!("/v1/checkpoints/{ID}/archive{query}")),
            Ok(Route::Download { id, original })
        );
    }
    assert_eq!(
        get(&format!("/v1/checkpoints/{ID}/archive?view=all")),
        Err("bad-query")
    );
    for no in ["x", "0", &ID[1..], &ID.replace('-', "")] {
        assert_eq!(get(&format!("/v1/checkpoints/{no}")), Err("bad-id"), "{no}");
    }
}

#[test]
fn rejects_accept_headers_without_json() {
    for (accept, taken) in [
        ("application/json", true),
        ("*/*", true),
        ("text/html, application/*;q=0.1", true),
        ("application/json;q=0, */*", false),
        ("text/html", false),
        ("", false),
    ] {
        let result = route(Method::GET, "/v1/whoami", Some(accept));
        assert_eq!(result.is_ok(), taken, "{accept}");
    }
}

proptest! {
    #[test]
    fn every_path_is_a_call_or_a_client_error(path in "/[!-~]{0,80}") {
        if let Ok(request) = Request::post(path).body(())
            && let Err(error) = Route::of(&request)
        {
            prop_assert!(error.answer().status.is_client_error());
        }
    }
}
