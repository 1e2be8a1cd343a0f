//! The export of the audit log: bounds, counts and the end.

use std::sync::Mutex;

use opentelemetry::logs::AnyValue;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use tokio::sync::Notify;

use super::*;

/// A receiver that keeps the lengths of the bodies of each export.
#[derive(Debug, Clone, Default)]
struct Exporter {
    got: Arc<Mutex<Vec<Vec<usize>>>>,
    /// If set, no export ends before it is notified.
    held: Option<Arc<Notify>>,
    fails: bool,
}

impl LogExporter for Exporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        if let Some(held) = &self.held {
            held.notified().await;
        }
        let length = |(record, _): (&SdkLogRecord, _)| body(record).len();
        self.got
            .lock()
            .unwrap()
            .push(batch.iter().map(length).collect());
        if self.fails {
            Err(OTelSdkError::InternalFailure("no".to_owned()))
        } else {
            Ok(())
        }
    }
}

fn body(record: &SdkLogRecord) -> &str {
    match record.body() {
        Some(AnyValue::String(text)) => text.as_str(),
        other => panic!("no text: {other:?}"),
    }
}

/// An outcome's line of about so many bytes, with its end.
fn line(status: u16, bytes: usize) -> Vec<u8> {
    let filler = "x".repeat(bytes);
    let line = format!(
        r#"{{"seq":7,"prev":"00","schema":1,"at":"2026-01-01T00:00:00Z","request_id":"{}","trace_id":null,"event":"outcome","status":{status},"message":"{filler}"}}"#,
        uuid::Uuid::from_u128(1)
    );
    [line.as_bytes(), b"\n"].concat()
}

fn told(counts: &ExportCounts) -> (u64, u64, u64) {
    (counts.sent(), counts.queue_full(), counts.export_failed())
}

#[tokio::test]
async fn lines_that_are_told_at_once_are_sent_together_in_their_order() {
    let (exporter, counts) = (Exporter::default(), Arc::default());
    let (intake, sending) = Sending::start(exporter.clone(), Arc::clone(&counts));
    let lines = [line(200, 1), line(200, 2), line(200, 3)];
    intake.durable(&lines.concat());
    assert!(sending.finish().await);
    let lengths = lines.map(|line| line.len() - 1);
    assert_eq!(*exporter.got.lock().unwrap(), [lengths.to_vec()]);
    assert_eq!(told(&counts), (3, 0, 0));
}

#[tokio::test]
async fn an_export_is_no_longer_than_a_receiver_takes() {
    let (exporter, counts) = (Exporter::default(), Arc::default());
    let (intake, sending) = Sending::start(exporter.clone(), Arc::clone(&counts));
    for _ in 0..5 {
        intake.durable(&line(200, 600 << 10));
    }
    for _ in 0..BATCH {
        intake.durable(&line(200, 1));
    }
    assert!(sending.finish().await);
    let got = exporter.got.lock().unwrap().clone();
    assert!(
        got.iter()
            .all(|batch| batch.iter().sum::<usize>() < 2 << 20 && batch.len() <= BATCH),
        "{got:?}"
    );
    assert_eq!(told(&counts), (5 + BATCH as u64, 0, 0));
}

#[tokio::test]
async fn what_finds_no_room_beside_a_receiver_that_hangs_is_dropped_and_counted() {
    let held = Arc::<Notify>::default();
    let exporter = Exporter {
        held: Some(Arc::clone(&held)),
        ..Exporter::default()
    };
    let counts = Arc::default();
    let (intake, _sending) = Sending::start(exporter, Arc::clone(&counts));
    // The task that sends has had no turn yet.
    for _ in 0..WAITING + 3 {
        intake.durable(&line(200, 1));
    }
    assert_eq!(told(&counts), (0, 3, 0));
}

#[tokio::test]
async fn what_waits_is_bounded_in_bytes_too() {
    let counts = Arc::default();
    let (intake, _sending) = Sending::start(Exporter::default(), Arc::clone(&counts));
    let line = line(200, 1 << 20);
    let fit = WAITING_BYTES / line.len();
    for _ in 0..fit + 2 {
        intake.durable(&line);
    }
    assert_eq!(told(&counts), (0, 2, 0));
}

#[tokio::test]
async fn what_the_receiver_does_not_take_and_what_is_no_record_is_counted() {
    let exporter = Exporter {
        fails: true,
        ..Exporter::default()
    };
    let counts = Arc::default();
    let (intake, sending) = Sending::start(exporter, Arc::clone(&counts));
    intake.durable(&[line(200, 1), b"{}\n".to_vec()].concat());
    assert!(sending.finish().await);
    assert_eq!(told(&counts), (0, 0, 2));
}

#[test]
fn a_request_that_did_not_succeed_is_a_warning() {
    let logger = SdkLoggerProvider::builder().build().logger(TRACER);
    for (status, severity) in [
        (200, "INFO"),
        (399, "INFO"),
        (400, "WARN"),
        (503, "WARN"),
        (0, "WARN"),
    ] {
        let line = String::from_utf8(line(status, 1)).unwrap();
        assert_eq!(
            record(&logger, &line).unwrap().severity_text(),
            Some(severity),
            "{status}"
        );
    }
}
