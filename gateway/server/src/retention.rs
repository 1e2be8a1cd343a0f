//! Removes expired checkpoints once a minute.

use std::sync::Arc;
use std::time::Duration;

use gateway_archive::Error;
use gateway_core::{Checkpoint, RemovalReason};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::error_chain::cause;
use crate::removals::RemovalRecords;
use crate::request_ids::RequestIds;

/// The time between two removals.
const INTERVAL: Duration = Duration::from_mins(1);

/// Removes the checkpoints that are expired at a time, and returns them. Blocks.
pub(crate) type RemoveExpired =
    Arc<dyn Fn(Timestamp) -> Result<Vec<Checkpoint>, Error> + Send + Sync>;

/// Removes expired checkpoints until `stop`.
pub(crate) async fn run(
    remove_expired: RemoveExpired,
    removals: RemovalRecords,
    stop: CancellationToken,
) {
    let mut interval = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        let remove = Arc::clone(&remove_expired);
        match tokio::task::spawn_blocking(move || remove(Timestamp::now())).await {
            Ok(Ok(removed)) => {
                let ids = RequestIds::without_trace();
                removals.record(ids, RemovalReason::Age, &removed).await;
            }
            Ok(Err(failed)) => warn!(
                cause = cause(&failed),
                "could not remove expired checkpoints; will retry"
            ),
            Err(_) => error!("removing expired checkpoints broke off; will retry"),
        }
    }
}
