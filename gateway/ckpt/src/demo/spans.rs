//! Keeps the demo's finished spans in memory.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SimpleSpanProcessor, SpanData, SpanExporter};
use tokio::sync::watch;

use super::client::Answer;

/// The most finished spans that are kept. A trace has about 15.
const MAX_SPANS: usize = 4096;
/// The longest wait for a trace's last span after the answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Finished spans.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans(Arc<watch::Sender<Vec<SpanData>>>);

impl Spans {
    /// The processor that passes finished spans to this.
    pub(super) fn processor(&self) -> SimpleSpanProcessor<Self> {
        SimpleSpanProcessor::new(self.clone())
    }

    /// Waits until the request's span has ended, and removes and returns the trace of an answer.
    pub(super) async fn trace(&self, answer: &Answer) -> Vec<SpanData> {
        let id = answer.trace_id.as_deref().unwrap_or_default();
        let Ok(id) = TraceId::from_hex(id) else {
            return Vec::new();
        };
        let mut spans = self.0.subscribe();
        let whole =
            spans.wait_for(|spans| spans.iter().any(|span| is_top(span) && is_of(span, id)));
        // An incomplete trace is shown as it is.
        let _ = tokio::time::timeout(TIMEOUT, whole).await;
        self.take(id)
    }

    /// Waits for the next request's span that has ended, and removes and returns its trace.
    pub(super) async fn next(&self) -> Vec<SpanData> {
        let mut spans = self.0.subscribe();
        let top = spans.wait_for(|spans| spans.iter().any(is_top)).await;
        let id = top
            .ok()
            .and_then(|spans| spans.iter().find(|span| is_top(span)).map(trace_id));
        id.map(|id| self.take(id)).unwrap_or_default()
    }

    fn take(&self, id: TraceId) -> Vec<SpanData> {
        let mut taken = Vec::new();
        self.0
            .send_modify(|spans| taken = spans.extract_if(.., |span| is_of(span, id)).collect());
        taken.sort_by_key(|span| span.start_time);
        taken
    }
}

impl SpanExporter for Spans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.send_modify(|spans| {
            spans.extend(batch);
            let surplus = spans.len().saturating_sub(MAX_SPANS);
            spans.drain(..surplus);
        });
        Ok(())
    }
}

/// Whether it is the span of a request to the gateway.
pub(super) fn is_top(span: &SpanData) -> bool {
    span.span_kind == SpanKind::Server
}

fn trace_id(span: &SpanData) -> TraceId {
    span.span_context.trace_id()
}

fn is_of(span: &SpanData, id: TraceId) -> bool {
    trace_id(span) == id
}
