//! The audit log as OpenTelemetry logs: each durable line is one record for the receiver of traces. The log never waits: lines that
//! find the queue full, or do not arrive, are counted and remain in the file.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use gateway_audit::Observer;
use gateway_core::{RequestId, TraceId};
use jiff::Timestamp;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::{InstrumentationScope, SpanId, TraceFlags};
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogRecord, SdkLogger, SdkLoggerProvider};
use serde::Deserialize;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::otlp::EXPORT;
use super::{ExportCounts, TRACER};

/// The most lines that wait to be sent.
const WAITING: usize = 4096;
/// The most bytes of lines that wait or are being sent.
const WAITING_BYTES: usize = 16 << 20;
/// The most lines in one export.
const BATCH: usize = 512;
/// The size at which an export gets no more lines, in bytes. Receivers accept 4 MiB over gRPC by default.
const BATCH_BYTES: usize = 1 << 20;

/// A line with its share of the queue's bytes, which it gives back when it is sent or dropped.
#[derive(Debug)]
struct Waiting {
    line: String,
    _room: OwnedSemaphorePermit,
}

/// The observer to which the audit log passes its durable lines.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    to: Sender<Waiting>,
    room: Arc<Semaphore>,
    counts: Arc<ExportCounts>,
}

impl Observer for Intake {
    fn durable(&self, lines: &[u8]) {
        for line in lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            if self.take(line).is_none() {
                self.counts.drop_one();
            }
        }
    }
}

impl Intake {
    fn take(&self, line: &[u8]) -> Option<()> {
        let bytes = u32::try_from(line.len()).ok()?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes).ok()?;
        // JSON is UTF-8.
        let line = std::str::from_utf8(line).ok()?.to_owned();
        self.to.try_send(Waiting { line, _room: room }).ok()
    }
}

/// Lines on their way to the receiver.
#[derive(Debug)]
pub(super) struct Sending {
    end: CancellationToken,
    task: JoinHandle<()>,
}

impl Sending {
    /// Starts sending. Must be called within a Tokio runtime.
    pub(super) fn start<E: LogExporter + 'static>(
        exporter: E,
        counts: Arc<ExportCounts>,
    ) -> (Intake, Self) {
        let (to, from) = mpsc::channel(WAITING);
        let room = Arc::new(Semaphore::new(WAITING_BYTES));
        let intake = Intake {
            to,
            room,
            counts: Arc::clone(&counts),
        };
        let end = CancellationToken::new();
        let task =
            TaskTracker::new().spawn(follow(from, Receiving::new(exporter, counts), end.clone()));
        (intake, Self { end, task })
    }

    /// Accepts no more lines, and sends those that wait. Returns whether all were exported; the counts say whether they arrived.
    pub(super) async fn finish(self) -> bool {
        self.end.cancel();
        tokio::time::timeout(EXPORT, self.task)
            .await
            .is_ok_and(|ended| ended.is_ok())
    }
}

/// Sends until `end`, then the rest. Lines that come while the receiver is busy go with the next export.
async fn follow<E: LogExporter>(
    mut from: Receiver<Waiting>,
    to: Receiving<E>,
    end: CancellationToken,
) {
    loop {
        let first = tokio::select! {
            biased;
            () = end.cancelled(), if !from.is_closed() => {
                from.close();
                continue;
            }
            first = from.recv() => first,
        };
        let Some(first) = first else { return };
        to.export(&batch(first, &mut from)).await;
    }
}

/// `first` and the lines that wait behind it, within the bounds of an export.
fn batch(first: Waiting, from: &mut Receiver<Waiting>) -> Vec<Waiting> {
    let mut bytes = first.line.len();
    let mut batch = vec![first];
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let Ok(next) = from.try_recv() else { break };
        bytes = bytes.saturating_add(next.line.len());
        batch.push(next);
    }
    batch
}

/// The connection to the receiver.
struct Receiving<E> {
    exporter: E,
    counts: Arc<ExportCounts>,
    /// Makes records, without an exporter of its own.
    logger: SdkLogger,
    scope: InstrumentationScope,
}

impl<E: LogExporter> Receiving<E> {
    fn new(exporter: E, counts: Arc<ExportCounts>) -> Self {
        let logger = SdkLoggerProvider::builder().build().logger(TRACER);
        Self {
            exporter,
            counts,
            logger,
            scope: InstrumentationScope::builder(TRACER).build(),
        }
    }

    async fn export(&self, lines: &[Waiting]) {
        let records: Vec<_> = lines
            .iter()
            .filter_map(|waiting| record(&self.logger, &waiting.line))
            .collect();
        let batch: Vec<_> = records.iter().map(|record| (record, &self.scope)).collect();
        let exported =
            tokio::time::timeout(EXPORT, self.exporter.export(LogBatch::new(&batch))).await;
        self.counts
            .exported(records.len(), matches!(exported, Ok(Ok(()))));
        // Not known: the log has only records.
        self.counts.exported(lines.len() - records.len(), false);
    }
}

/// The fields of a log record beside the line.
#[derive(Deserialize)]
struct Line<'a> {
    seq: i64,
    at: Timestamp,
    request_id: RequestId,
    trace_id: Option<TraceId>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    /// Only outcomes have one.
    #[serde(default)]
    status: Option<u16>,
}

/// The log record of a line. Its body is the exact line, so that it can be checked against the log's chain and tree.
fn record(logger: &SdkLogger, text: &str) -> Option<SdkLogRecord> {
    let line: Line<'_> = serde_json::from_str(text).ok()?;
    let mut record = logger.create_log_record();
    record.set_timestamp(line.at.into());
    record.set_observed_timestamp(SystemTime::now());
    let (severity, name) = severity(&line);
    record.set_severity_number(severity);
    record.set_severity_text(name);
    record.set_event_name(event_name(&line.event));
    record.set_body(text.to_owned().into());
    record.add_attribute("event.name", event_name(&line.event));
    record.add_attribute("checkpoint_gateway.audit.seq", line.seq);
    if line.request_id != RequestId::NONE {
        record.add_attribute("checkpoint_gateway.request_id", line.request_id.to_string());
    }
    if let Some(status) = line.status.filter(|status| *status != 0) {
        record.add_attribute("http.response.status_code", status);
    }
    if let Some(trace_id) = line
        .trace_id
        .and_then(|id| opentelemetry::TraceId::from_hex(&id.to_string()).ok())
    {
        // Every request is traced.
        record.set_trace_context(trace_id, SpanId::INVALID, Some(TraceFlags::SAMPLED));
    }
    Some(record)
}

/// WARN for a request that did not succeed or got no answer (status 0).
fn severity(line: &Line<'_>) -> (Severity, &'static str) {
    match line.status {
        Some(status) if status == 0 || status >= 400 => (Severity::Warn, "WARN"),
        _ => (Severity::Info, "INFO"),
    }
}

fn event_name(event: &str) -> &'static str {
    match event {
        "intent" => "checkpoint_gateway.audit.intent",
        "outcome" => "checkpoint_gateway.audit.outcome",
        "removed" => "checkpoint_gateway.audit.removed",
        "shadow" => "checkpoint_gateway.audit.shadow",
        "head" => "checkpoint_gateway.audit.head",
        "key" => "checkpoint_gateway.audit.key",
        "key-removed" => "checkpoint_gateway.audit.key_removed",
        "segment" => "checkpoint_gateway.audit.segment",
        _ => "checkpoint_gateway.audit",
    }
}

#[cfg(test)]
mod tests;
