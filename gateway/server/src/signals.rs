//! Turns signals of the process into a request to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A token that the first of these signals cancels. Later signals have no effect: only the drain's deadline ends a drain.
///
/// # Errors
/// Where a signal cannot be listened for. Must be called within a Tokio runtime.
pub fn stop_on(signals: &[SignalKind]) -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let listeners = TaskTracker::new();
    for kind in signals {
        let mut listener = signal(*kind)?;
        let token = stop.clone();
        listeners.spawn(async move {
            listener.recv().await;
            token.cancel();
        });
    }
    Ok(stop)
}
