//! The wrapper around every request: it owns the request's context and span, the record of its outcome, and the one place
//! where an error becomes a status.

mod outcomes;
mod settings;

use std::sync::Arc;

use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, info, info_span};

use crate::access::{Access, AccessCall, Sending};
use crate::audit_writer::AuditWriter;
use crate::authn::{Authenticator, Caller};
use crate::bodies::StoredArchive;
use crate::checkpoint_ids::CheckpointIds;
use crate::checkpoint_task::{CheckpointTasks, Progress};
use crate::config::Config;
use crate::error_chain::cause;
use crate::hidden_fields::HiddenFields;
use crate::peer::Peer;
use crate::pipeline::CheckpointRequest;
use crate::reply::{self, Body};
use crate::request_body;
use crate::request_context::RequestContext;
use crate::request_headers::{prefers_async, reason};
use crate::request_ids::RequestIds;
use crate::request_slots::{RequestSlot, RequestSlots};
use crate::route::Route;
use crate::telemetry::{Metrics, RequestLabels};
use crate::{Error, openapi, span};

use outcomes::OutcomeRecorder;
use settings::HandlerSettings;

/// Answers the requests of the main listener.
pub(crate) struct Handler {
    parts: HandlerParts,
    settings: HandlerSettings,
    slots: RequestSlots,
    outcomes: OutcomeRecorder,
    downloads: TaskTracker,
    stop: CancellationToken,
}

/// The parts of the gateway that a handler uses.
pub(crate) struct HandlerParts {
    pub(crate) authenticator: Authenticator,
    pub(crate) checkpoints: CheckpointTasks,
    pub(crate) checkpoint_ids: CheckpointIds,
    pub(crate) access: Access,
    pub(crate) audit: AuditWriter,
    pub(crate) metrics: Arc<Metrics>,
}

impl Handler {
    pub(crate) fn new(parts: HandlerParts, config: &Config, stop: CancellationToken) -> Self {
        let (audit, metrics) = (parts.audit.clone(), Arc::clone(&parts.metrics));
        Self {
            outcomes: OutcomeRecorder::new(audit, metrics, &config.audit),
            parts,
            settings: HandlerSettings::new(config),
            slots: RequestSlots::new(config.limits.requests),
            downloads: TaskTracker::new(),
            stop,
        }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.parts.metrics
    }

    /// Waits for running checkpoints, whether their callers still wait or not, and for downloads.
    pub(crate) async fn finish(&self) {
        self.parts.checkpoints.finish().await;
        self.downloads.close();
        self.downloads.wait().await;
    }

    /// The number of running checkpoints.
    pub(crate) fn running_checkpoints(&self) -> usize {
        self.parts.checkpoints.len()
    }

    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        peer: Arc<Peer>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let span = span::of_request(&request, &peer);
        let ids = RequestIds::new(&span);
        span::set_ids(&span, ids);
        let route = Route::of(&request);
        let known = route.as_ref().ok().cloned();
        let hidden = HiddenFields::new(self.settings.mask);
        let mut context = RequestContext::new(ids, peer, span.clone(), known, hidden);
        async {
            // Held until the outcome is on record, so that unrecorded requests are bounded, too.
            let slot = self.slots.acquire();
            let result = match &slot {
                // Boxed, because the future of all calls is large.
                Ok(slot) => Box::pin(self.dispatch(&mut context, request, route, slot)).await,
                Err(_) => Err(Error::Overloaded),
            };
            let ended = result.as_ref().map(Response::status);
            self.outcomes.record(&context, ended).await;
            self.close(&context, result)
        }
        .instrument(span)
        .await
    }

    async fn dispatch(
        &self,
        context: &mut RequestContext,
        request: Request<Incoming>,
        route: Result<Route, Error>,
        slot: &RequestSlot,
    ) -> Result<Response<Body>, Error> {
        let (head, body) = request.into_parts();
        let caller = info_span!("authn").in_scope(|| {
            let certificate = context.peer().certificate.as_ref();
            self.parts.authenticator.verify(&head.headers, certificate)
        })?;
        context.set_caller(caller.clone());
        let route = route?;
        span::set_route(context.span(), &route);
        self.check_enabled(&route)?;
        context.set_reason(reason(&head.headers)?);
        request_body::discard(body, self.settings.body).await?;
        match route {
            Route::WhoAmI => reply::json(caller.identity()),
            Route::OpenApi => Ok(reply::answer(
                StatusCode::OK,
                "application/json",
                openapi::text().into(),
            )),
            route @ Route::Checkpoint { .. } => {
                self.checkpoint(context, caller, route, &head.headers, slot)
                    .await
            }
            route => {
                let call = AccessCall::new(context.clone(), caller, head.headers);
                self.access(call, route, slot).await
            }
        }
    }

    fn check_enabled(&self, route: &Route) -> Result<(), Error> {
        if matches!(route, Route::Checkpoint { .. }) && !self.settings.checkpoints {
            Err(Error::Disabled)
        } else {
            Ok(())
        }
    }

    async fn checkpoint(
        &self,
        context: &RequestContext,
        caller: Caller,
        route: Route,
        headers: &HeaderMap,
        slot: &RequestSlot,
    ) -> Result<Response<Body>, Error> {
        let Route::Checkpoint {
            target,
            timeout_seconds,
        } = route
        else {
            return Err(Error::Internal);
        };
        if self.stop.is_cancelled() {
            return Err(Error::Draining);
        }
        let request = CheckpointRequest {
            context: context.clone(),
            caller,
            checkpoint_id: self.parts.checkpoint_ids.next(),
            target,
            timeout_seconds,
            accepted: prefers_async(headers).then(Arc::default),
        };
        let patience = self.settings.patience(timeout_seconds);
        let tasks = &self.parts.checkpoints;
        match tasks.run(request, slot.clone(), patience).await? {
            Progress::Stored(checkpoint) => reply::json(&StoredArchive {
                items: [&checkpoint.path],
                findings: &checkpoint.findings,
            }),
            Progress::Accepted(id) => reply::accepted(id),
        }
    }

    async fn access(
        &self,
        call: AccessCall,
        route: Route,
        slot: &RequestSlot,
    ) -> Result<Response<Body>, Error> {
        let user = call.caller().identity().user.as_str();
        span::set_user_and_image(&Span::current(), Some(user), None);
        let sending = Sending {
            tasks: self.downloads.clone(),
            slot: slot.clone(),
            patience: self.settings.idle,
        };
        self.parts.access.answer(call, route, &sending).await
    }

    fn close(
        &self,
        context: &RequestContext,
        result: Result<Response<Body>, Error>,
    ) -> Response<Body> {
        let visible = context.visible();
        let failure = result
            .as_ref()
            .err()
            .map(|error| (error.answer(), visible.text(&cause(error))));
        let response =
            result.unwrap_or_else(|error| reply::problem(&error, context.ids(), &visible));
        let status = response.status();
        let code = failure.as_ref().map_or("", |(answer, _)| answer.code);
        let took = context.elapsed();
        let route = context.authenticated_route();
        let labels = RequestLabels {
            action: route.map_or("", Route::word),
            status: status.as_u16(),
            code,
        };
        self.parts.metrics.request(&labels, took);
        span::set_peer(context.span(), &visible);
        span::close(context.span(), status, code);
        info!(
            status = status.as_u16(),
            code,
            call = labels.action,
            user = visible.user,
            target = route.and_then(Route::target).map(ToString::to_string),
            peer = visible.source_address.map(|address| address.to_string()),
            cause = failure.map(|(_, cause)| cause),
            took_ms = took.as_secs_f64() * 1e3,
            "answered"
        );
        reply::with_ids(response, context.ids())
    }
}
