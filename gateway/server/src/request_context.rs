//! What is known of a request before anything is done about it, and its record where nothing is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use gateway_core::{Identity, Outcome, Target};
use http::StatusCode;
use jiff::Timestamp;
use tracing::Span;

use crate::Error;
use crate::audit_records::Subject;
use crate::hidden_fields::Hidden;
use crate::peer::Peer;
use crate::pipeline::Context;
use crate::reply::Marks;
use crate::route::Route;
use crate::token_bucket::TokenBucket;

/// A request that has arrived.
pub(crate) struct Arrival {
    pub(crate) peer: Arc<Peer>,
    pub(crate) marks: Marks,
    pub(crate) at: Timestamp,
    pub(crate) since: Instant,
    pub(crate) span: Span,
    pub(crate) recorded: Arc<AtomicBool>,
}

/// What is told of a request at its end.
#[derive(Default)]
pub(crate) struct Told {
    /// The call, as far as the request itself says, whether its caller is proven or not.
    pub(crate) route: Option<Route>,
    pub(crate) action: &'static str,
    pub(crate) identity: Option<Identity>,
    pub(crate) reason: Option<String>,
    pub(crate) target: Option<Target>,
    pub(crate) hidden: Hidden,
}

impl Arrival {
    pub(crate) fn subject(&self, told: &Told) -> Subject {
        Subject {
            request_id: self.marks.request_id,
            trace_id: self.marks.trace_id,
            identity: told.identity.clone(),
            source_address: self.peer.address,
            reason: told.reason.clone(),
            action: told.route.as_ref().and_then(Route::action),
            target: told.route.as_ref().and_then(Route::target).cloned(),
            checkpoint_id: told.route.as_ref().and_then(Route::checkpoint_id),
            hidden: told.hidden.clone(),
            since: self.since,
            recorded: Arc::clone(&self.recorded),
        }
    }
}

impl Told {
    pub(crate) fn user(&self) -> Option<&str> {
        self.identity
            .as_ref()
            .map(|identity| identity.user.as_str())
    }
}

/// Writes down what has no outcome on record yet. Of those who have proven nothing, not every one: they could fill the disk.
pub(crate) async fn record(
    cx: &Context,
    unproven: &TokenBucket,
    arrival: &Arrival,
    told: &Told,
    ended: Result<StatusCode, &Error>,
) {
    if arrival.recorded.load(Ordering::Relaxed) {
        return;
    }
    let left_out = if told.identity.is_some() {
        Some(0)
    } else {
        unproven.take(Instant::now())
    };
    let Some(suppressed) = left_out else {
        cx.metrics.audit_suppressed.inc();
        return;
    };
    let subject = arrival.subject(told);
    let outcome = match ended {
        Ok(status) => Outcome {
            status: status.as_u16(),
            ..subject.outcome()
        },
        Err(error) => subject.failed(error),
    };
    // It is counted and logged where it is lost; nothing has been done that the log would have to show.
    let _ = subject
        .close(
            cx,
            Outcome {
                suppressed,
                ..outcome
            },
        )
        .await;
}
