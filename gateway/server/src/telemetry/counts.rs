//! Counts of what was sent to the OTLP receiver and what was dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of exported spans and audit records. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    /// Counts of finished spans.
    pub spans: Arc<ExportCounts>,
    /// Counts of audit records.
    pub audit_log: Arc<ExportCounts>,
}

/// Counts of one kind.
#[derive(Debug, Default)]
pub struct ExportCounts {
    sent: AtomicU64,
    queue_full: AtomicU64,
    export_failed: AtomicU64,
}

impl ExportCounts {
    /// Accepted by the receiver.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Dropped because the queue was full.
    pub fn queue_full(&self) -> u64 {
        self.queue_full.load(Ordering::Relaxed)
    }

    /// Dropped because the receiver did not accept them.
    pub fn export_failed(&self) -> u64 {
        self.export_failed.load(Ordering::Relaxed)
    }

    /// Counts one that found the queue full.
    pub(super) fn drop_one(&self) {
        self.queue_full.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts `count` that the receiver accepted or refused.
    pub(super) fn exported(&self, count: usize, taken: bool) {
        let counter = if taken {
            &self.sent
        } else {
            &self.export_failed
        };
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}
