//! The admin listener: health and metrics, without TLS, until the very end of a drain.

use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::listener::{Accepted, Listener};
use crate::admin::Admin;
use crate::config::Limits;
use crate::connection::{self, Protocol};

/// How many connections may be open at once.
pub(super) const CONNECTIONS: usize = 32;

/// What every connection of the admin listener uses.
#[derive(Clone)]
pub(super) struct AdminListener {
    pub(super) answers: Admin,
    pub(super) limits: Limits,
    /// Cancelled when this listener itself stops.
    pub(super) end: CancellationToken,
}

impl AdminListener {
    /// Accepts connections until `end`, and waits for those that are open.
    pub(super) async fn accept(self, listener: Listener) {
        let connections = TaskTracker::new();
        while let Some(Accepted { stream, slot, .. }) = listener.next(&self.end).await {
            let admin = self.clone();
            connections.spawn(async move {
                let _slot = slot;
                let answer = |request| {
                    let answers = admin.answers.clone();
                    async move { answers.answer(&request).await }
                };
                let (limits, end) = (&admin.limits, &admin.end);
                connection::serve(TokioIo::new(stream), Protocol::Http1, limits, end, answer).await;
            });
        }
        connections.close();
        connections.wait().await;
    }
}
