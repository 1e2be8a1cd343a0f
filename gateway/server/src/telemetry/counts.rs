use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What became of all that goes to the OTLP receiver. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    /// Of finished spans.
    pub spans: Arc<ExportCounts>,
    /// Of records of the audit log.
    pub audit_log: Arc<ExportCounts>,
}

/// What became of things of one kind.
#[derive(Debug, Default)]
pub struct ExportCounts {
    sent: AtomicU64,
    queue_full: AtomicU64,
    export_failed: AtomicU64,
}

impl ExportCounts {
    /// Those that the receiver took.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Those that were dropped because too many waited.
    pub fn queue_full(&self) -> u64 {
        self.queue_full.load(Ordering::Relaxed)
    }

    /// Those that were dropped because the receiver did not take them.
    pub fn export_failed(&self) -> u64 {
        self.export_failed.load(Ordering::Relaxed)
    }

    /// One more for which there was no room.
    pub(super) fn drop_one(&self) {
        self.queue_full.fetch_add(1, Ordering::Relaxed);
    }

    /// So many more that the receiver took, or did not take.
    pub(super) fn exported(&self, count: usize, taken: bool) {
        let counter = if taken {
            &self.sent
        } else {
            &self.export_failed
        };
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}
