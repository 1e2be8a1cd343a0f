//! Traces: the tracer, sampling, and the propagation of trace ids.

use gateway_core::TraceId;
use http::HeaderMap;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{Link, SpanKind, TraceContextExt, TraceId as OtelTraceId, TraceState};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, SdkTracer, ShouldSample};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::log::is_ours;

/// Spans become traces, log lines do not become span events: the two outputs stay independent.
pub(super) fn layer<S>(tracer: SdkTracer) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let spans = filter_fn(|meta| meta.is_span() && is_ours(meta));
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(spans)
        .boxed()
}

/// Traces every request, whatever the sampling flag of its `traceparent` says, so no caller can stay unseen. Spans outside of a
/// request, such as a health check's call to the runtime, are not sampled.
#[derive(Debug, Clone)]
pub(super) struct RequestsOnly;

impl ShouldSample for RequestsOnly {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: OtelTraceId,
        _: &str,
        kind: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|context| context.span().span_context().clone());
        let within = parent
            .as_ref()
            .is_some_and(|parent| parent.is_sampled() && !parent.is_remote());
        let sampled = within || *kind == SpanKind::Server;
        SamplingResult {
            decision: if sampled {
                SamplingDecision::RecordAndSample
            } else {
                SamplingDecision::Drop
            },
            attributes: Vec::new(),
            trace_state: parent
                .map_or_else(TraceState::default, |parent| parent.trace_state().clone()),
        }
    }
}

/// The caller's trace from `traceparent` and `tracestate` (W3C Trace Context); a new trace if they are missing or malformed.
pub fn parent_of(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)))
}

/// The headers that pass the current span on to a callee.
pub fn inject() -> Vec<(String, String)> {
    let mut carrier = Carrier(Vec::new());
    let context = Span::current().context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut carrier));
    carrier.0
}

/// The trace that `span` belongs to.
pub fn trace_id(span: &Span) -> Option<TraceId> {
    TraceId::new(span.context().span().span_context().trace_id().to_bytes())
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct Carrier(Vec<(String, String)>);

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        // An empty `tracestate` has no information.
        if !value.is_empty() {
            self.0.push((key.to_owned(), value));
        }
    }
}
