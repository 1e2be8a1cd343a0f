//! The spans of a request, by OpenTelemetry's conventions for HTTP and Kubernetes.
//!
//! A checkpoint may outlive the request that began it, so it has a span of its own below the request's.

use gateway_core::Checkpoint;
use http::{Request, StatusCode, Version};
use opentelemetry::trace::{Span as _, SpanBuilder, Status, TraceContextExt, Tracer};
use opentelemetry::{KeyValue, global};
use opentelemetry_semantic_conventions::attribute as semconv;
use tracing::{Span, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::Error;
use crate::peer::{Handshake, Peer};
use crate::pipeline::CheckpointRequest;
use crate::request_ids::RequestIds;
use crate::route::Route;
use crate::telemetry::{self, TRACER};
use crate::visible_request::VisibleRequest;

/// The methods that name a span. Any other is `_OTHER`, so that callers cannot invent span names.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/// The server span of a request, below the caller's span where the request carries one.
pub(crate) fn of_request<B>(request: &Request<B>, peer: &Peer) -> Span {
    let method = METHODS
        .into_iter()
        .find(|known| *known == request.method().as_str())
        .unwrap_or("_OTHER");
    let span = info_span!(
        "request",
        otel.kind = "server",
        otel.name = method,
        request_id = Empty,
        trace_id = Empty
    );
    // Fails only where the span is not recorded; then there is no trace to join.
    let _ = span.set_parent(telemetry::parent_of(request.headers()));
    span.set_attribute(semconv::HTTP_REQUEST_METHOD, method);
    span.set_attribute(semconv::URL_SCHEME, "https");
    span.set_attribute(
        semconv::URL_PATH,
        gateway_core::one_line(request.uri().path(), 512),
    );
    span.set_attribute(semconv::NETWORK_PEER_PORT, i64::from(peer.port));
    let version = if request.version() == Version::HTTP_2 {
        "2"
    } else {
        "1.1"
    };
    span.set_attribute(semconv::NETWORK_PROTOCOL_VERSION, version);
    if let Some(handshake) = peer.handshake.report_once() {
        trace_handshake(handshake, &span);
    }
    span
}

/// Adds the span of the TLS handshake, which ended before the request's own span began.
fn trace_handshake(handshake: &Handshake, request: &Span) {
    let tracer = global::tracer(TRACER);
    let builder = SpanBuilder::from_name("TLS handshake")
        .with_start_time(handshake.begun)
        .with_attributes([KeyValue::new(
            semconv::TLS_PROTOCOL_VERSION,
            handshake.version,
        )]);
    let mut span = tracer.build_with_context(builder, &request.context());
    span.end_with_timestamp(handshake.done);
}

/// Adds the ids to the span, and so to every log line within.
pub(crate) fn set_ids(span: &Span, ids: RequestIds) {
    span.record("request_id", ids.request_id.to_string());
    if let Some(trace_id) = ids.trace_id {
        span.record("trace_id", trace_id.to_string());
    }
}

/// Names the span after the call.
pub(crate) fn set_route(span: &Span, route: &Route) {
    span.context()
        .span()
        .update_name(format!("{} {}", route.method(), route.template()));
    span.set_attribute(semconv::HTTP_ROUTE, route.template());
}

/// The span of a checkpoint's task.
pub(crate) fn of_checkpoint_task(wanted: &CheckpointRequest) -> Span {
    let ids = wanted.context.ids();
    let request = Span::current().context();
    let span =
        info_span!(parent: None, "checkpoint", request_id = %ids.request_id, trace_id = Empty);
    let _ = span.set_parent(request);
    if let Some(trace_id) = ids.trace_id {
        span.record("trace_id", trace_id.to_string());
    }
    span.set_attribute(
        semconv::K8S_NAMESPACE_NAME,
        wanted.target.namespace().to_owned(),
    );
    span.set_attribute(semconv::K8S_POD_NAME, wanted.target.pod().to_owned());
    span.set_attribute(
        semconv::K8S_CONTAINER_NAME,
        wanted.target.container().to_owned(),
    );
    span.set_attribute("checkpoint_gateway.request.id", ids.request_id.to_string());
    span.set_attribute(
        "checkpoint_gateway.checkpoint.id",
        wanted.checkpoint_id.to_string(),
    );
    span
}

/// Adds the checkpoint that the request is about.
pub(crate) fn set_checkpoint(checkpoint: &Checkpoint) {
    let span = Span::current();
    span.set_attribute(
        "checkpoint_gateway.checkpoint.id",
        checkpoint.id.to_string(),
    );
    span.set_attribute(
        semconv::K8S_NAMESPACE_NAME,
        checkpoint.target.namespace().to_owned(),
    );
    span.set_attribute(semconv::K8S_POD_NAME, checkpoint.target.pod().to_owned());
    span.set_attribute(
        semconv::K8S_CONTAINER_NAME,
        checkpoint.target.container().to_owned(),
    );
}

/// Adds the peer's address, unless it is hidden. Called at the end, when the hidden fields are known.
pub(crate) fn set_peer(span: &Span, visible: &VisibleRequest) {
    if let Some(address) = visible.source_address {
        span.set_attribute(semconv::CLIENT_ADDRESS, address.to_string());
        span.set_attribute(semconv::NETWORK_PEER_ADDRESS, address.to_string());
    }
}

/// Adds the user and the image, where they may be shown.
pub(crate) fn set_user_and_image(span: &Span, user: Option<&str>, image: Option<&str>) {
    if let Some(user) = user {
        span.set_attribute(semconv::USER_NAME, user.to_owned());
    }
    if let Some(image) = image {
        span.set_attribute(semconv::CONTAINER_IMAGE_NAME, image.to_owned());
    }
}

/// Adds the answer. By OpenTelemetry's conventions only a 5xx is an error of a server span.
pub(crate) fn close(span: &Span, status: StatusCode, code: &'static str) {
    span.set_attribute(
        semconv::HTTP_RESPONSE_STATUS_CODE,
        i64::from(status.as_u16()),
    );
    if !code.is_empty() {
        span.set_attribute(semconv::ERROR_TYPE, code);
    }
    if status.is_server_error() {
        span.set_status(Status::error(code));
    }
}

/// Adds the error of a checkpoint's task.
pub(crate) fn fail<T>(span: &Span, result: &Result<T, Error>) {
    if let Err(error) = result {
        let code = error.answer().code;
        span.set_attribute(semconv::ERROR_TYPE, code);
        span.set_status(Status::error(code));
    }
}
