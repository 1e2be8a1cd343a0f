//! The admin listener: health in Kubernetes' words, and metrics.

use std::fmt::Write as _;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use tokio_util::sync::CancellationToken;

use crate::error_chain::cause;
use crate::pipeline::Context;
use crate::reply::{self, Body};

/// How long one check may take.
const CHECK: Duration = Duration::from_secs(3);
/// The content type of OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What does not stand in the way, and somebody should know.
fn remarks(cx: &Context) -> Vec<String> {
    let policies = cx.policies.now();
    let broken = policies.broken().map(|(name, fault)| {
        format!(
            "[!]policy {name} denies what it is bound to: {} ({fault})",
            fault.code()
        )
    });
    let rejected = cx
        .policies
        .rejected()
        .map(|why| format!("[!]the last reload was not taken: {why}"));
    broken.chain(rejected).collect()
}

/// What must hold before requests can be served, and what stands in the way; by the names that `/readyz?verbose` shows.
struct Check {
    name: &'static str,
    obstacle: Option<String>,
}

/// Answers a request of the admin listener. None of them has a body or needs a credential.
pub(crate) async fn answer<B>(
    cx: &Context,
    stop: &CancellationToken,
    request: &Request<B>,
) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = reply::text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n".to_owned());
        response.headers_mut().insert(
            http::header::ALLOW,
            http::HeaderValue::from_static("GET, HEAD"),
        );
        return response;
    }
    match request.uri().path() {
        "/livez" => reply::text(StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => ready(
            &checks(cx, stop).await,
            &remarks(cx),
            request.uri().query().unwrap_or_default(),
        ),
        "/metrics" => reply::answer(
            StatusCode::OK,
            OPEN_METRICS,
            cx.metrics.encode().into_bytes(),
        ),
        _ => reply::text(
            StatusCode::NOT_FOUND,
            "try /livez, /readyz?verbose or /metrics\n".to_owned(),
        ),
    }
}

async fn checks(cx: &Context, stop: &CancellationToken) -> Vec<Check> {
    let runtime = tokio::time::timeout(CHECK, cx.runtime.ready());
    let audit = tokio::time::timeout(CHECK, cx.audit.check_writable());
    let (runtime, audit) = tokio::join!(runtime, audit);
    let slow = || Some(format!("no answer within {} s", CHECK.as_secs()));
    let stopping = stop
        .is_cancelled()
        .then(|| "the gateway is stopping".to_owned());
    vec![
        Check {
            name: "runtime",
            obstacle: runtime.map_or_else(|_| slow(), |result| result.err().map(|e| cause(&e))),
        },
        Check {
            name: "store",
            obstacle: cx.store.probe().err().map(|error| cause(&error)),
        },
        Check {
            name: "audit",
            obstacle: audit.map_or_else(|_| slow(), |result| result.err().map(|e| cause(&e))),
        },
        Check {
            name: "shutdown",
            obstacle: stopping,
        },
    ]
}

fn ready(checks: &[Check], remarks: &[String], query: &str) -> Response<Body> {
    let ready = checks.iter().all(|check| check.obstacle.is_none());
    let verbose = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "verbose");
    let mut text = String::new();
    if verbose || !ready {
        for Check { name, obstacle } in checks {
            // Writing to a string does not fail.
            let _ = match obstacle {
                None => writeln!(text, "[+]{name} ok"),
                Some(obstacle) => writeln!(text, "[-]{name} failed: {obstacle}"),
            };
        }
        for remark in remarks {
            text.push_str(remark);
            text.push('\n');
        }
        text.push_str(if ready {
            "readyz check passed\n"
        } else {
            "readyz check failed\n"
        });
    } else {
        text.push_str("ok\n");
    }
    reply::text(
        if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        text,
    )
}
