use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SimpleSpanProcessor, SpanData, SpanExporter};
use tokio::sync::watch;

use super::client::Answer;

/// How many finished spans are kept. A trace has about 15.
const KEPT: usize = 4096;
/// How long a trace may take to be whole once its request is answered.
const PATIENCE: Duration = Duration::from_secs(2);

/// Finished spans, kept within the process.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans(Arc<watch::Sender<Vec<SpanData>>>);

impl Spans {
    /// What has to be told of spans.
    pub(super) fn processor(&self) -> SimpleSpanProcessor<Self> {
        SimpleSpanProcessor::new(self.clone())
    }

    /// Takes out the trace that an answer names, as soon as the span at its top has ended.
    pub(super) async fn trace(&self, answer: &Answer) -> Vec<SpanData> {
        let id = answer.trace_id.as_deref().unwrap_or_default();
        let Ok(id) = TraceId::from_hex(id) else {
            return Vec::new();
        };
        let mut spans = self.0.subscribe();
        let whole =
            spans.wait_for(|spans| spans.iter().any(|span| is_top(span) && is_of(span, id)));
        // A trace that never gets whole is shown as it is.
        let _ = tokio::time::timeout(PATIENCE, whole).await;
        self.take(id)
    }

    /// Takes out the next trace whose top span has ended.
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
            let surplus = spans.len().saturating_sub(KEPT);
            spans.drain(..surplus);
        });
        Ok(())
    }
}

/// Whether it is the span of a request that we serve.
pub(super) fn is_top(span: &SpanData) -> bool {
    span.span_kind == SpanKind::Server
}

fn trace_id(span: &SpanData) -> TraceId {
    span.span_context.trace_id()
}

fn is_of(span: &SpanData, id: TraceId) -> bool {
    trace_id(span) == id
}
