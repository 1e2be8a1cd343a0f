//! Records checkpoints that the gateway removes on its own: expired ones, and those that make room under a quota.

use std::sync::Arc;

use gateway_core::{Checkpoint, Event, RemovalReason};
use tracing::info;

use crate::audit_writer::AuditWriter;
use crate::request_ids::RequestIds;
use crate::telemetry::Metrics;

/// Logs, counts and audits removed checkpoints.
#[derive(Clone)]
pub(crate) struct RemovalRecords {
    audit: AuditWriter,
    metrics: Arc<Metrics>,
}

impl RemovalRecords {
    pub(crate) fn new(audit: AuditWriter, metrics: Arc<Metrics>) -> Self {
        Self { audit, metrics }
    }

    /// Writes a record for each removed checkpoint.
    pub(crate) async fn record(
        &self,
        ids: RequestIds,
        reason: RemovalReason,
        removed: &[Checkpoint],
    ) {
        for checkpoint in removed {
            info!(checkpoint_id = %checkpoint.id, bytes = checkpoint.bytes, because = ?reason, "removed");
            self.metrics.checkpoints_removed.inc();
            let event = Event::Removed {
                reason,
                checkpoint_id: checkpoint.id,
                target: checkpoint.target.clone(),
                sha256: checkpoint.sha256.clone(),
                bytes: checkpoint.bytes,
            };
            // A lost record is logged and counted there; the checkpoint is gone already.
            let _ = self.audit.write(ids, event).await;
        }
    }
}
