//! Everything that is known about one request: its ids, its peer, its caller, what it asks for and why.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gateway_core::{Action, CheckpointId, Identity, Target};
use jiff::Timestamp;
use tracing::Span;

use crate::authn::Caller;
use crate::hidden_fields::HiddenFields;
use crate::peer::Peer;
use crate::request_ids::RequestIds;
use crate::route::Route;
use crate::visible_request::VisibleRequest;

/// Everything that is known about one request. It grows while the request is read; clones share the hidden fields and
/// whether the outcome is on record.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    ids: RequestIds,
    peer: Arc<Peer>,
    span: Span,
    received_at: Timestamp,
    started: Instant,
    route: Option<Route>,
    caller: Option<Caller>,
    reason: Option<String>,
    hidden: HiddenFields,
    outcome_recorded: Arc<AtomicBool>,
}

impl RequestContext {
    /// A request that has just arrived, with no field hidden yet. `route` is absent where its method and path name no call.
    pub(crate) fn new(
        ids: RequestIds,
        peer: Arc<Peer>,
        span: Span,
        route: Option<Route>,
        hidden: HiddenFields,
    ) -> Self {
        Self {
            ids,
            peer,
            span,
            received_at: Timestamp::now(),
            started: Instant::now(),
            route,
            caller: None,
            reason: None,
            hidden,
            outcome_recorded: Arc::default(),
        }
    }

    pub(crate) fn set_caller(&mut self, caller: Caller) {
        self.caller = Some(caller);
    }

    pub(crate) fn set_reason(&mut self, reason: Option<String>) {
        self.reason = reason;
    }

    pub(crate) fn ids(&self) -> RequestIds {
        self.ids
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The server span of the request.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The time since the request arrived.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The caller; absent until a credential has proven one.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.caller.as_ref().map(Caller::identity)
    }

    /// The caller's reason, in their words.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The reason with secrets in it masked.
    pub(crate) fn shown_reason(&self) -> Option<String> {
        self.reason()
            .map(|reason| self.hidden.texts().shown(reason))
    }

    /// The action that policies decide on; absent where they are not asked.
    pub(crate) fn action(&self) -> Option<Action> {
        self.route.as_ref().and_then(Route::action)
    }

    /// The container that the request names.
    pub(crate) fn target(&self) -> Option<&Target> {
        self.route.as_ref().and_then(Route::target)
    }

    /// The checkpoint that the request names.
    pub(crate) fn checkpoint_id(&self) -> Option<CheckpointId> {
        self.route.as_ref().and_then(Route::checkpoint_id)
    }

    /// The call, for logs and metrics; absent where the caller is not proven.
    pub(crate) fn authenticated_route(&self) -> Option<&Route> {
        self.route.as_ref().filter(|_| self.caller.is_some())
    }

    pub(crate) fn hidden(&self) -> &HiddenFields {
        &self.hidden
    }

    /// The request as it may be shown now.
    pub(crate) fn visible(&self) -> VisibleRequest {
        VisibleRequest::new(
            self.identity(),
            self.peer.address,
            self.reason(),
            &self.hidden,
        )
    }

    /// Whether the outcome is on record, or a task has taken over recording it.
    pub(crate) fn is_outcome_recorded(&self) -> bool {
        self.outcome_recorded.load(Ordering::Relaxed)
    }

    /// To be called before the outcome is written, or when a task takes over writing it.
    pub(crate) fn set_outcome_recorded(&self) {
        self.outcome_recorded.store(true, Ordering::Relaxed);
    }
}
