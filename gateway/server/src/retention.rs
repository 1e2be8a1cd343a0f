//! What the gateway removes by itself: what became too old, and what a quota makes go.

use std::time::Duration;

use gateway_core::{Checkpoint, Event, Record, RemovalReason, RequestId, TraceId};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::error_chain::cause;
use crate::pipeline::Context;

/// How often is looked for what became too old.
const EVERY: Duration = Duration::from_mins(1);

/// Removes what became too old, until `stop`.
pub(crate) async fn follow(cx: Context, stop: CancellationToken) {
    let mut times = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = times.tick() => {}
        }
        let store = cx.store.clone();
        match tokio::task::spawn_blocking(move || store.retain(Timestamp::now())).await {
            Ok(Ok(removed)) => {
                let ids = (RequestId::from(Uuid::now_v7()), None);
                record(&cx, ids, RemovalReason::Age, &removed).await;
            }
            Ok(Err(failed)) => warn!(
                cause = cause(&failed),
                "what became too old could not be removed"
            ),
            Err(_) => error!("looking for what became too old broke off"),
        }
    }
}

/// Writes down what was removed, each with a line of its own.
pub(crate) async fn record(
    cx: &Context,
    (request_id, trace_id): (RequestId, Option<TraceId>),
    reason: RemovalReason,
    removed: &[Checkpoint],
) {
    for checkpoint in removed {
        info!(checkpoint_id = %checkpoint.id, bytes = checkpoint.bytes, because = ?reason, "removed");
        cx.metrics.checkpoints_removed.inc();
        let event = Event::Removed {
            reason,
            checkpoint_id: checkpoint.id,
            target: checkpoint.target.clone(),
            sha256: checkpoint.sha256.clone(),
            bytes: checkpoint.bytes,
        };
        let record = Record {
            schema: Record::SCHEMA,
            at: Timestamp::now(),
            request_id,
            trace_id,
            event,
        };
        if let Err(lost) = cx.audit.write(record).await {
            cx.metrics.audit_failures.inc();
            error!(
                cause = cause(&lost),
                "what was removed is not in the audit log"
            );
        }
    }
}
