//! Shows a trace as a tree of spans.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

use super::spans::is_top;
use crate::style::{BOLD, DIM, PLAIN};
use crate::table::{Cell, Table, plain};

/// The widest cell, in columns.
const WIDTH: usize = 200;
/// The attributes in the tree, with the names that they have there.
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

/// Prints a trace as a tree, with the duration and attributes of each span.
pub(super) fn print_tree(trace: &[SpanData], indent: usize) {
    let mut table = Table::without_headings()
        .indented(indent)
        .right_aligned(&[1]);
    for row in rows(trace) {
        table.row_up_to(WIDTH, row);
    }
    table.finish();
}

fn rows(trace: &[SpanData]) -> Vec<[Cell; 3]> {
    let mut rows = Vec::new();
    for top in trace.iter().filter(|span| parent(span, trace).is_none()) {
        rows.push(row(String::new(), top));
        add_children(top, "", trace, &mut rows);
    }
    rows
}

fn row(branch: String, span: &SpanData) -> [Cell; 3] {
    let style = if is_top(span) { BOLD } else { PLAIN };
    [
        (branch + &span.name, style),
        plain(milliseconds(duration(span))),
        (attributes(span), DIM),
    ]
}

/// A span's duration.
pub(super) fn duration(span: &SpanData) -> Duration {
    between(span.start_time, span.end_time)
}

/// The time between two moments; zero if the clock was set back.
pub(super) fn between(from: SystemTime, to: SystemTime) -> Duration {
    to.duration_since(from).unwrap_or_default()
}

/// The parent of a span, if it is in the same trace.
pub(super) fn parent<'a>(span: &SpanData, trace: &'a [SpanData]) -> Option<&'a SpanData> {
    let id = span.parent_span_id;
    trace
        .iter()
        .find(|other| id != SpanId::INVALID && other.span_context.span_id() == id)
}

fn add_children(above: &SpanData, indent: &str, trace: &[SpanData], rows: &mut Vec<[Cell; 3]>) {
    let id = above.span_context.span_id();
    let mut children = trace
        .iter()
        .filter(|span| span.parent_span_id == id)
        .peekable();
    while let Some(span) = children.next() {
        let (branch, trunk) = if children.peek().is_some() {
            ("├─ ", "│  ")
        } else {
            ("└─ ", "   ")
        };
        rows.push(row(format!("{indent}{branch}"), span));
        add_children(span, &format!("{indent}{trunk}"), trace, rows);
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
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

    fn texts(trace: &[SpanData]) -> Vec<[String; 3]> {
        let rows = rows(trace).into_iter();
        rows.map(|row| row.map(|(text, _)| text)).collect()
    }

    #[test]
    fn shows_spans_below_their_parents() {
        let trace = [
            span(1, 0, "top", 30),
            span(2, 1, "one", 9),
            span(3, 2, "within", 8),
            span(4, 1, "two", 7),
        ];
        let expected = [
            ["top", "30.00 ms", "gRPC OK"],
            ["├─ one", "9.00 ms", "gRPC OK"],
            ["│  └─ within", "8.00 ms", "gRPC OK"],
            ["└─ two", "7.00 ms", "gRPC OK"],
        ];
        assert_eq!(texts(&trace), expected.map(|row| row.map(str::to_owned)));
    }

    #[test]
    fn shows_a_span_without_its_parent_at_the_top() {
        let trace = [span(1, 9, "ours", 1)];
        assert!(parent(&trace[0], &trace).is_none());
        assert_eq!(texts(&trace).len(), 1);
    }
}
