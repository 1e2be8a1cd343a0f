//! The end of a gateway: waits for what is running, for a bounded time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::handler::Handler;

/// How long recording the outcomes of aborted checkpoints may take.
const LAST_RECORDS: Duration = Duration::from_secs(5);

/// How the gateway ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every checkpoint that was running has finished.
    Clean,
    /// `limits.drain-seconds` passed while this many checkpoints were still running. Their containers may stay frozen.
    Aborted(usize),
}

/// Waits for running checkpoints and downloads. After `time` it cancels `abort`: checkpoints that are still running are then
/// recorded as cut short, and their callers get an error.
pub(super) async fn drain(handler: &Handler, time: Duration, abort: &CancellationToken) -> Ended {
    if tokio::time::timeout(time, handler.finish()).await.is_ok() {
        return Ended::Clean;
    }
    let checkpoints = handler.running_checkpoints();
    abort.cancel();
    let _ = tokio::time::timeout(LAST_RECORDS, handler.finish()).await;
    if checkpoints == 0 {
        warn!("downloads were cut short: their callers can resume them");
        return Ended::Clean;
    }
    error!(
        checkpoints,
        "checkpoints were cut short: their containers may stay frozen; see the audit log"
    );
    Ended::Aborted(checkpoints)
}
