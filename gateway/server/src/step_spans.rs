//! A span for each step of taking an archive in.

use gateway_archive::StepTime;
use opentelemetry::trace::{Span as _, SpanBuilder, Tracer};
use opentelemetry::{KeyValue, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::telemetry::TRACER;

/// Adds a span for each step of taking the archive in. They run beside each other; `busy_seconds` is the time of work alone.
pub(crate) fn trace_steps(archive: &Span, steps: Vec<StepTime>) {
    let (tracer, parent) = (global::tracer(TRACER), archive.context());
    for step in steps {
        let bytes = i64::try_from(step.bytes).unwrap_or(i64::MAX);
        let builder = SpanBuilder::from_name(step.step.as_str())
            .with_start_time(step.begun)
            .with_attributes([
                KeyValue::new("checkpoint_gateway.step.file", step.file.as_str()),
                KeyValue::new("checkpoint_gateway.step.bytes", bytes),
                KeyValue::new(
                    "checkpoint_gateway.step.busy_seconds",
                    step.busy.as_secs_f64(),
                ),
            ]);
        let mut span = tracer.build_with_context(builder, &parent);
        span.end_with_timestamp(step.ended);
    }
}
