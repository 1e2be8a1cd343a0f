//! The admin listener: health in Kubernetes' words, and metrics.

use std::fmt::Write as _;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};

use crate::health::{Check, Health};
use crate::reply::{self, Body};
use crate::telemetry::Metrics;

/// The content type of OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers the requests of the admin listener.
#[derive(Clone)]
pub(crate) struct Admin {
    health: Health,
    metrics: Arc<Metrics>,
}

impl Admin {
    pub(crate) fn new(health: Health, metrics: Arc<Metrics>) -> Self {
        Self { health, metrics }
    }

    /// Answers one request. None has a body or needs a credential.
    pub(crate) async fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return method_not_allowed();
        }
        match request.uri().path() {
            "/livez" => reply::text(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => {
                let query = request.uri().query().unwrap_or_default();
                let verbose =
                    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "verbose");
                readiness(&self.health.check().await, &self.health.remarks(), verbose)
            }
            "/metrics" => reply::answer(
                StatusCode::OK,
                OPEN_METRICS,
                self.metrics.encode().into_bytes(),
            ),
            _ => reply::text(
                StatusCode::NOT_FOUND,
                "try /livez, /readyz?verbose or /metrics\n".to_owned(),
            ),
        }
    }
}

fn method_not_allowed() -> Response<Body> {
    let mut response = reply::text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n".to_owned());
    response.headers_mut().insert(
        http::header::ALLOW,
        http::HeaderValue::from_static("GET, HEAD"),
    );
    response
}

fn readiness(checks: &[Check], remarks: &[String], verbose: bool) -> Response<Body> {
    let ready = checks.iter().all(|check| check.result.is_ok());
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    if ready && !verbose {
        return reply::text(status, "ok\n".to_owned());
    }
    let mut text = String::new();
    for Check { name, result } in checks {
        // Writing to a string does not fail.
        let _ = match result {
            Ok(()) => writeln!(text, "[+]{name} ok"),
            Err(reason) => writeln!(text, "[-]{name} failed: {reason}"),
        };
    }
    for remark in remarks {
        let _ = writeln!(text, "[!]{remark}");
    }
    text.push_str(if ready {
        "readyz check passed\n"
    } else {
        "readyz check failed\n"
    });
    reply::text(status, text)
}
