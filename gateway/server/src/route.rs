//! What a request asks for, read from its raw path: nothing is decoded, so nothing can be smuggled in by decoding.

use gateway_core::{Action, CheckpointId, Target};
use http::header::{ACCEPT, HeaderMap};
use http::{Method, Request};

use crate::Error;
use crate::query::Query;

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
    /// `GET /v1/checkpoints`
    List(Query),
    /// `GET /v1/checkpoints/{id}`
    Inspect(CheckpointId),
    /// `DELETE /v1/checkpoints/{id}`
    Delete(CheckpointId),
    /// `GET /v1/checkpoints/{id}/archive`
    Download {
        /// Which checkpoint.
        id: CheckpointId,
        /// Whether the original is wanted, as the runtime wrote it (`view=original`).
        original: bool,
    },
    /// `PUT /v1/checkpoints/{id}/hold`
    Hold(CheckpointId),
    /// `DELETE /v1/checkpoints/{id}/hold`
    Release(CheckpointId),
    /// `GET /v1/whoami`
    WhoAmI,
}

/// The path of a call, before method and parameters are looked at.
#[derive(Clone, Copy)]
enum Path<'a> {
    Checkpoint([&'a str; 3]),
    Checkpoints,
    Stored(&'a str),
    Archive(&'a str),
    Hold(&'a str),
    WhoAmI,
}

/// What no path of ours holds, percent-encoding among it: each is a way to make two readers see two paths.
const TRICKS: [(&str, &str); 5] =
    [("%", "`%`"), (";", "`;`"), ("\\", "`\\`"), ("//", "an empty segment"), ("/..", "`..`")];

impl Route {
    /// Each call's template and method: the names that traces show, and what a test goes through.
    pub const ALL: [(&'static str, Method); 8] = [
        (Self::CHECKPOINT, Method::POST),
        (Self::CHECKPOINTS, Method::GET),
        (Self::STORED, Method::GET),
        (Self::STORED, Method::DELETE),
        (Self::ARCHIVE, Method::GET),
        (Self::HOLD, Method::PUT),
        (Self::HOLD, Method::DELETE),
        (Self::WHOAMI, Method::GET),
    ];
    const CHECKPOINT: &'static str = "/checkpoint/{namespace}/{pod}/{container}";
    const CHECKPOINTS: &'static str = "/v1/checkpoints";
    const STORED: &'static str = "/v1/checkpoints/{id}";
    const ARCHIVE: &'static str = "/v1/checkpoints/{id}/archive";
    const HOLD: &'static str = "/v1/checkpoints/{id}/hold";
    const WHOAMI: &'static str = "/v1/whoami";

    /// Reads a request.
    ///
    /// # Errors
    /// Where it asks for nothing that there is, or in a way that is not taken.
    pub fn of<B>(request: &Request<B>) -> Result<Self, Error> {
        let path = Path::of(request.uri().path())?;
        let query = request.uri().query().unwrap_or_default();
        let (get, delete) = (*request.method() == Method::GET, *request.method() == Method::DELETE);
        let kind = if matches!(path, Path::Archive(_)) { "application/x-tar" } else { "application/json" };
        let route = match path {
            Path::Checkpoint([namespace, pod, container]) if *request.method() == Method::POST => {
                accept(request.headers(), kind)?;
                let target = Target::new(namespace, pod, container)?;
                Self::Checkpoint { target, timeout_seconds: timeout(query)? }
            }
            Path::Checkpoints if get => Self::List(Query::of(query)?),
            Path::Stored(id) if get => Self::Inspect(id.parse()?),
            Path::Stored(id) if delete => Self::Delete(id.parse()?),
            Path::Archive(id) if get => Self::Download { id: id.parse()?, original: original(query)? },
            Path::Hold(id) if *request.method() == Method::PUT => Self::Hold(id.parse()?),
            Path::Hold(id) if delete => Self::Release(id.parse()?),
            Path::WhoAmI if get => Self::WhoAmI,
            _ => return Err(Error::Method(path.methods())),
        };
        accept(request.headers(), kind).map(|()| route)
    }

    /// The template, for traces (`http.route`).
    pub fn template(&self) -> &'static str {
        match self {
            Self::Checkpoint { .. } => Self::CHECKPOINT,
            Self::List(_) => Self::CHECKPOINTS,
            Self::Inspect(_) | Self::Delete(_) => Self::STORED,
            Self::Download { .. } => Self::ARCHIVE,
            Self::Hold(_) | Self::Release(_) => Self::HOLD,
            Self::WhoAmI => Self::WHOAMI,
        }
    }

    /// The method, for traces.
    pub fn method(&self) -> Method {
        match self {
            Self::Checkpoint { .. } => Method::POST,
            Self::List(_) | Self::Inspect(_) | Self::Download { .. } | Self::WhoAmI => Method::GET,
            Self::Delete(_) | Self::Release(_) => Method::DELETE,
            Self::Hold(_) => Method::PUT,
        }
    }

    /// What policies are asked whether the caller may do it; `None` where they are asked nothing.
    pub fn action(&self) -> Option<Action> {
        match self {
            Self::Checkpoint { .. } => Some(Action::Create),
            Self::List(_) => Some(Action::List),
            Self::Inspect(_) => Some(Action::Inspect),
            Self::Delete(_) => Some(Action::Delete),
            Self::Download { original: false, .. } => Some(Action::Download),
            Self::Download { original: true, .. } => Some(Action::DownloadOriginal),
            Self::Hold(_) | Self::Release(_) => Some(Action::Hold),
            Self::WhoAmI => None,
        }
    }

    /// The word for the call in metrics.
    pub fn word(&self) -> &'static str {
        self.action().map_or("whoami", Action::as_str)
    }

    /// The container that is named.
    pub fn target(&self) -> Option<&Target> {
        if let Self::Checkpoint { target, .. } = self { Some(target) } else { None }
    }

    /// The checkpoint that is named.
    pub fn checkpoint_id(&self) -> Option<CheckpointId> {
        match self {
            Self::Inspect(id)
            | Self::Delete(id)
            | Self::Download { id, .. }
            | Self::Hold(id)
            | Self::Release(id) => Some(*id),
            Self::Checkpoint { .. } | Self::List(_) | Self::WhoAmI => None,
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
            ["v1", "checkpoints"] => Ok(Self::Checkpoints),
            ["v1", "checkpoints", id] => Ok(Self::Stored(id)),
            ["v1", "checkpoints", id, "archive"] => Ok(Self::Archive(id)),
            ["v1", "checkpoints", id, "hold"] => Ok(Self::Hold(id)),
            _ => Err(Error::NoRoute),
        }
    }

    /// What the path takes, as `Allow` tells it.
    fn methods(self) -> &'static str {
        match self {
            Self::Checkpoint(_) => "POST",
            Self::Checkpoints | Self::Archive(_) | Self::WhoAmI => "GET",
            Self::Stored(_) => "GET, DELETE",
            Self::Hold(_) => "PUT, DELETE",
        }
    }
}

fn original(query: &str) -> Result<bool, Error> {
    let mut views = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "view");
    match (views.next(), views.next()) {
        (None, _) => Ok(false),
        (Some((_, view)), None) if view == "original" => Ok(true),
        (Some((_, view)), None) if view == "redacted" => Ok(false),
        _ => Err(Error::BadQuery("view", "`redacted` or `original`, once")),
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

fn accept(headers: &HeaderMap, kind: &'static str) -> Result<(), Error> {
    if takes(headers, kind) { Ok(()) } else { Err(Error::NotAcceptable(kind)) }
}

/// Whether one of the media ranges in `Accept` takes this kind (RFC 9110, section 12.5.1). The most specific range decides.
fn takes(headers: &HeaderMap, kind: &str) -> bool {
    let mut best = None;
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let weight = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                range if range == kind => 3,
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
            Route::Checkpoint { timeout_seconds, .. } => Ok(timeout_seconds),
            other => panic!("another call: {other:?}"),
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
    fn a_path_takes_its_own_methods_only() {
        for (template, _) in Route::ALL {
            let uri = template.replace("{id}", ID).replace(['{', '}'], "");
            for method in
                [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS]
            {
                let there_is = Route::ALL.contains(&(template, method.clone()));
                let expected =
                    if there_is { Ok((template, method.clone())) } else { Err("method-not-allowed") };
                let read = route(method.clone(), &uri, None).map(|route| (route.template(), route.method()));
                assert_eq!(read, expected, "{method} {uri}");
            }
        }
    }

    #[test]
    fn a_checkpoint_is_named_by_its_id() {
        let id = ID.parse().unwrap();
        let get = |uri: &str| route(Method::GET, uri, None);
        assert_eq!(get(&format!("/v1/checkpoints/{ID}")), Ok(Route::Inspect(id)));
        for (query, original) in [("", false), ("?view=redacted", false), ("?view=original", true)] {
            assert_eq!(
                get(&format!("/v1/checkpoints/{ID}/archive{query}")),
                Ok(Route::Download { id, original })
            );
        }
        assert_eq!(get(&format!("/v1/checkpoints/{ID}/archive?view=all")), Err("bad-query"));
        for no in ["x", "0", &ID[1..], &ID.replace('-', "")] {
            assert_eq!(get(&format!("/v1/checkpoints/{no}")), Err("bad-id"), "{no}");
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
