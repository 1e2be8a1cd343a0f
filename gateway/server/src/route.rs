//! What a request asks for, read from its raw path: nothing is decoded, so nothing can be smuggled in by decoding.

use gateway_core::Target;
use http::header::{ACCEPT, HeaderMap};
use http::{Method, Request};

use crate::Error;

/// The calls of the main listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `POST /checkpoint/{namespace}/{pod}/{container}`
    Checkpoint {
        /// The container that is named.
        target: Target,
        /// How long the caller wants to wait; `None` where it is left to us.
        timeout_seconds: Option<u32>,
    },
    /// `GET /v1/whoami`
    WhoAmI,
}

/// The path of a call, before method and parameters are looked at.
enum Path<'a> {
    Checkpoint([&'a str; 3]),
    WhoAmI,
}

/// What no path of ours holds, percent-encoding among it: each is a way to make two readers see two paths.
const TRICKS: [(&str, &str); 5] =
    [("%", "`%`"), (";", "`;`"), ("\\", "`\\`"), ("//", "an empty segment"), ("/..", "`..`")];

impl Route {
    /// Each call's template and method: the names that traces show, and what a test goes through.
    pub const ALL: [(&'static str, Method); 2] =
        [(Self::CHECKPOINT, Method::POST), (Self::WHOAMI, Method::GET)];
    const CHECKPOINT: &'static str = "/checkpoint/{namespace}/{pod}/{container}";
    const WHOAMI: &'static str = "/v1/whoami";

    /// Reads a request.
    ///
    /// # Errors
    /// Where it asks for nothing that there is, or in a way that is not taken.
    pub fn of<B>(request: &Request<B>) -> Result<Self, Error> {
        let path = Path::of(request.uri().path())?;
        let allowed = match path {
            Path::Checkpoint(_) => Method::POST,
            Path::WhoAmI => Method::GET,
        };
        if request.method() != allowed {
            return Err(Error::Method(if allowed == Method::POST { "POST" } else { "GET" }));
        }
        if !takes_json(request.headers()) {
            return Err(Error::NotAcceptable);
        }
        Ok(match path {
            Path::Checkpoint([namespace, pod, container]) => Self::Checkpoint {
                target: Target::new(namespace, pod, container)?,
                timeout_seconds: timeout(request.uri().query().unwrap_or_default())?,
            },
            Path::WhoAmI => Self::WhoAmI,
        })
    }

    /// The template, for traces (`http.route`).
    pub fn template(&self) -> &'static str {
        match self {
            Self::Checkpoint { .. } => Self::CHECKPOINT,
            Self::WhoAmI => Self::WHOAMI,
        }
    }

    /// The word for the call in metrics.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Checkpoint { .. } => "create",
            Self::WhoAmI => "whoami",
        }
    }
}

impl<'a> Path<'a> {
    fn of(path: &'a str) -> Result<Self, Error> {
        if let Some((_, name)) = TRICKS.iter().find(|(trick, _)| path.contains(trick)) {
            return Err(Error::BadPath(name));
        }
        let segments: Vec<_> = path.strip_prefix('/').ok_or(Error::NoRoute)?.split('/').collect();
        match segments.as_slice() {
            [_, .., ""] => Err(Error::BadPath("an empty segment")),
            ["checkpoint", namespace, pod, container] => Ok(Self::Checkpoint([namespace, pod, container])),
            ["v1", "whoami"] => Ok(Self::WhoAmI),
            _ => Err(Error::NoRoute),
        }
    }
}

/// As the kubelet reads it, but for what it lets pass: repeated, negative and fractional values are refused. Zero means
/// "not given".
fn timeout(query: &str) -> Result<Option<u32>, Error> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "timeout");
    let Some((_, value)) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Error::BadTimeout("given more than once"));
    }
    let seconds: i64 = value.parse().map_err(|_| Error::BadTimeout("not an integer"))?;
    if seconds < 0 {
        return Err(Error::BadTimeout("negative"));
    }
    let seconds = u32::try_from(seconds).map_err(|_| Error::BadTimeout("too large"))?;
    Ok(Some(seconds).filter(|seconds| *seconds > 0))
}

/// Whether one of the media ranges in `Accept` takes JSON (RFC 9110, section 12.5.1). The most specific range decides.
fn takes_json(headers: &HeaderMap) -> bool {
    let mut best = None;
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let weight = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/json" => 3,
                "application/*" => 2,
                "*/*" => 1,
                _ => continue,
            };
            let refused = parts.any(|part| {
                part.strip_prefix("q=").or(part.strip_prefix("Q=")).and_then(|q| q.parse::<f32>().ok())
                    == Some(0.0)
            });
            best = best.max(Some((weight, !refused)));
        }
    }
    !headers.contains_key(ACCEPT) || best.is_some_and(|(_, taken)| taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            Route::Checkpoint { timeout_seconds, .. } => Ok(timeout_seconds),
            Route::WhoAmI => panic!("another call"),
        }
    }

    #[test]
    fn the_kubelets_path_names_a_container() {
        let target = "shop/cart-0/app".parse().unwrap();
        let expected = Route::Checkpoint { target, timeout_seconds: None };
        assert_eq!(post("/checkpoint/shop/cart-0/app"), Ok(expected));
    }

    #[test]
    fn another_number_of_segments_is_no_path() {
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
    fn every_trick_with_a_segment_is_a_bad_request() {
        let long = "p".repeat(254);
        for segment in ["..", ".", "%2e%2e", "%2f", "%252f", "%00", "a;b", "a\\b", "A", "", long.as_str()] {
            for uri in [
                format!("/checkpoint/{segment}/pod/app"),
                format!("/checkpoint/shop/{segment}/app"),
                format!("/checkpoint/shop/pod/{segment}"),
            ] {
                assert!(matches!(post(&uri), Err("bad-path" | "bad-target")), "{uri}: {:?}", post(&uri));
            }
        }
        for uri in ["//checkpoint/a/b/c", "/checkpoint/a/b/c/", "/checkpoint/a//b/c", "/checkpoint/a/../b/c"]
        {
            assert_eq!(post(uri), Err("bad-path"), "{uri}");
        }
    }

    #[test]
    fn the_timeout_is_a_number_of_seconds_given_once() {
        assert_eq!(timeout_of("timeout=30"), Ok(Some(30)));
        assert_eq!(timeout_of("timeout=%330"), Ok(Some(30)), "a query is decoded, as the kubelet does");
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
    fn a_path_takes_its_own_method_only() {
        for (template, allowed) in Route::ALL {
            let uri = template.replace(['{', '}'], "");
            for method in
                [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS]
            {
                let expected = if method == allowed { Ok(template) } else { Err("method-not-allowed") };
                assert_eq!(
                    route(method.clone(), &uri, None).map(|route| route.template()),
                    expected,
                    "{method} {uri}"
                );
            }
        }
    }

    #[test]
    fn the_answer_is_json_or_nothing() {
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
        fn any_path_is_a_call_or_a_client_error(path in "/[!-~]{0,80}") {
            if let Ok(request) = Request::post(path).body(())
                && let Err(error) = Route::of(&request)
            {
                prop_assert!(error.answer().status.is_client_error());
            }
        }
    }
}
