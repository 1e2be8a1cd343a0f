use std::time::{Duration, SystemTime};

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

use super::spans::is_top;
use crate::paint::Paint;

/// The attributes that the tree shows, and under which name.
const SHOWN: [(&str, &str); 10] = [
    ("http.response.status_code", "status"),
    ("error.type", "error"),
    ("tls.protocol.version", "TLS"),
    ("user.name", "user"),
    ("checkpoint_gateway.policy.allow-list", "allow-list"),
    ("checkpoint_gateway.audit.event", "event"),
    ("rpc.response.status_code", "gRPC"),
    ("checkpoint_gateway.archive.transport", "transport"),
    ("checkpoint_gateway.archive.bytes", "bytes"),
    ("checkpoint_gateway.redaction.masks", "masks"),
];

/// One line of the tree, before it is aligned.
struct Row<'a> {
    lead: String,
    span: &'a SpanData,
}

/// A trace as a tree: what took how long within what.
pub(super) fn lines(trace: &[SpanData], paint: Paint) -> Vec<String> {
    let mut rows = Vec::new();
    for top in trace.iter().filter(|span| parent(span, trace).is_none()) {
        rows.push(Row {
            lead: String::new(),
            span: top,
        });
        below(top, "", trace, &mut rows);
    }
    let width = |row: &Row<'_>| row.lead.chars().count() + row.span.name.chars().count();
    let widest = rows.iter().map(width).max().unwrap_or_default();
    let line = |row: Row<'_>| {
        let gap = " ".repeat(widest.saturating_sub(width(&row)));
        let took = milliseconds(duration(row.span));
        let name = if is_top(row.span) {
            paint.bold(&row.span.name)
        } else {
            row.span.name.to_string()
        };
        let line = format!(
            "{}{name}{gap} {took}  {}",
            paint.dim(&row.lead),
            paint.dim(&attributes(row.span))
        );
        line.trim_end().to_owned()
    };
    rows.into_iter().map(line).collect()
}

/// How long a span lasted.
pub(super) fn duration(span: &SpanData) -> Duration {
    between(span.start_time, span.end_time)
}

/// From one moment to another; nothing where the clock was set back.
pub(super) fn between(from: SystemTime, to: SystemTime) -> Duration {
    to.duration_since(from).unwrap_or_default()
}

/// The span that this one is a part of, where it is in the same trace.
pub(super) fn parent<'a>(span: &SpanData, trace: &'a [SpanData]) -> Option<&'a SpanData> {
    let id = span.parent_span_id;
    trace
        .iter()
        .find(|other| id != SpanId::INVALID && other.span_context.span_id() == id)
}

fn below<'a>(above: &SpanData, lead: &str, trace: &'a [SpanData], rows: &mut Vec<Row<'a>>) {
    let id = above.span_context.span_id();
    let mut parts = trace
        .iter()
        .filter(|span| span.parent_span_id == id)
        .peekable();
    while let Some(span) = parts.next() {
        let (branch, trunk) = if parts.peek().is_some() {
            ("├─ ", "│  ")
        } else {
            ("└─ ", "   ")
        };
        rows.push(Row {
            lead: format!("{lead}{branch}"),
            span,
        });
        below(span, &format!("{lead}{trunk}"), trace, rows);
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:9.2} ms", time.as_secs_f64() * 1e3)
}

fn attributes(span: &SpanData) -> String {
    let shown = SHOWN.iter().filter_map(|(key, name)| {
        let attribute = span
            .attributes
            .iter()
            .find(|attribute| attribute.key.as_str() == *key)?;
        Some(format!("{name} {}", attribute.value))
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceFlags, TraceId, TraceState};
    use opentelemetry::{InstrumentationScope, KeyValue};

    fn span(id: u64, parent: u64, name: &'static str, milliseconds: u64) -> SpanData {
        let (trace, flags) = (TraceId::from_bytes([1; 16]), TraceFlags::SAMPLED);
        let context = SpanContext::new(
            trace,
            SpanId::from_bytes(id.to_be_bytes()),
            flags,
            false,
            TraceState::default(),
        );
        SpanData {
            span_context: context,
            parent_span_id: SpanId::from_bytes(parent.to_be_bytes()),
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds),
            attributes: vec![
                KeyValue::new("rpc.response.status_code", "OK"),
                KeyValue::new("other", 1),
            ],
            dropped_attributes_count: 0,
            events: opentelemetry_sdk::trace::SpanEvents::default(),
            links: opentelemetry_sdk::trace::SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    #[test]
    fn a_span_hangs_under_its_parent_and_times_are_aligned() {
        let trace = [
            span(1, 0, "top", 30),
            span(2, 1, "one", 9),
            span(3, 2, "within", 8),
            span(4, 1, "two", 7),
        ];
        assert_eq!(
            lines(&trace, Paint(false)),
            [
                "top              30.00 ms  gRPC OK",
                "├─ one            9.00 ms  gRPC OK",
                "│  └─ within      8.00 ms  gRPC OK",
                "└─ two            7.00 ms  gRPC OK",
            ]
        );
    }

    #[test]
    fn a_span_whose_parent_is_elsewhere_is_shown_at_the_top() {
        let trace = [span(1, 9, "ours", 1)];
        assert!(parent(&trace[0], &trace).is_none());
        assert_eq!(lines(&trace, Paint(false)).len(), 1);
    }
}
