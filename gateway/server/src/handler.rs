//! The one wrapper around every request: it owns the request's id, its span, its outcome in the audit log and the one
//! place where an error becomes a status.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_core::{Checkpoint, CheckpointId, HiddenField, RequestId};
use http::{Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info, info_span};
use uuid::Uuid;

use crate::access::{self, Call, Sending};
use crate::authn::Authenticator;
use crate::checkpoint_task::recorded;
use crate::config::{Config, seconds};
use crate::error_chain::cause;
use crate::peer::Peer;
use crate::pipeline::{Context, Wanted};
use crate::reply::{self, Body, Marks};
use crate::request_context::{Arrival, Told, record};
use crate::request_headers::{length, prefers_not_to_wait, reason};
use crate::route::Route;
use crate::telemetry::{self, RequestLabels};
use crate::token_bucket::TokenBucket;
use crate::{Error, openapi, span};

/// What answers the main listener's requests.
pub(crate) struct Handler {
    cx: Context,
    authenticator: Authenticator,
    settings: Settings,
    requests: Arc<Semaphore>,
    unproven: TokenBucket,
    work: TaskTracker,
    downloads: TaskTracker,
    stop: CancellationToken,
}

struct Settings {
    checkpoints: bool,
    default_wait: NonZeroU32,
    max_wait: NonZeroU32,
    body_max: usize,
    body_wait: Duration,
    idle: Duration,
}

/// A place among the requests, shared by all that goes on for one of them.
pub(crate) type Place = Arc<OwnedSemaphorePermit>;

/// What a caller is told of a checkpoint that is taken for them.
enum Taken {
    /// It is there.
    Stored(Box<Checkpoint>),
    /// It is on its way.
    Accepted(CheckpointId),
}

impl Handler {
    pub(crate) fn new(
        cx: Context,
        authenticator: Authenticator,
        config: &Config,
        stop: CancellationToken,
    ) -> Self {
        Self {
            cx,
            authenticator,
            settings: Settings {
                checkpoints: config.checkpoints.enabled,
                default_wait: config.checkpoints.default_wait_seconds,
                max_wait: config.checkpoints.max_wait_seconds,
                body_max: config.limits.body_bytes as usize,
                body_wait: seconds(config.limits.header_seconds),
                idle: seconds(config.limits.idle_seconds),
            },
            requests: Arc::new(Semaphore::new(config.limits.requests.get())),
            unproven: TokenBucket::new(
                config.audit.unproven_per_second,
                config.audit.unproven_burst,
                Instant::now(),
            ),
            work: TaskTracker::new(),
            downloads: TaskTracker::new(),
            stop,
        }
    }

    pub(crate) fn metrics(&self) -> &telemetry::Metrics {
        &self.cx.metrics
    }

    /// Waits for the work that requests have begun, whether its callers still wait for it or not, and for downloads.
    pub(crate) async fn finish(&self) {
        for tasks in [&self.work, &self.downloads] {
            tasks.close();
            tasks.wait().await;
        }
    }

    /// How much of that work there is: what must not be cut.
    pub(crate) fn under_way(&self) -> usize {
        self.work.len()
    }

    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        peer: Arc<Peer>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let span = span::of_request(&request, &peer);
        let marks = Marks {
            request_id: RequestId::from(Uuid::now_v7()),
            trace_id: telemetry::trace_id(&span),
        };
        span::mark(&span, marks);
        let arrival = Arrival {
            peer,
            marks,
            at: Timestamp::now(),
            since: Instant::now(),
            span: span.clone(),
            recorded: Arc::default(),
        };
        let mut told = Told {
            route: Route::of(&request).ok(),
            ..Told::default()
        };
        async {
            // Held until it is on record: nobody has more of them on their way than there are places.
            let place = Arc::clone(&self.requests).try_acquire_owned().map(Arc::new);
            let result = match &place {
                Ok(place) => self.dispatch(&arrival, request, &mut told, place).await,
                Err(_) => Err(Error::Overloaded),
            };
            let ended = result.as_ref().map(Response::status);
            record(&self.cx, &self.unproven, &arrival, &told, ended).await;
            self.close(&arrival, &told, result)
        }
        .instrument(span)
        .await
    }

    async fn dispatch(
        &self,
        arrival: &Arrival,
        request: Request<Incoming>,
        told: &mut Told,
        place: &Place,
    ) -> Result<Response<Body>, Error> {
        let caller = info_span!("authn").in_scope(|| {
            self.authenticator
                .verify(request.headers(), arrival.peer.certificate.as_ref())
        })?;
        told.identity = Some(caller.identity().clone());
        let headers = request.headers().clone();
        let route = self.read(arrival, request, told).await?;
        let subject = arrival.subject(told);
        match route {
            Route::WhoAmI => reply::json(caller.identity()),
            Route::OpenApi => Ok(reply::answer(
                StatusCode::OK,
                "application/json",
                openapi::text().into(),
            )),
            Route::Checkpoint {
                target,
                timeout_seconds,
            } => {
                let wanted = Wanted {
                    checkpoint_id: self.cx.ids.next(),
                    subject,
                    caller,
                    target,
                    timeout_seconds,
                    accepted: prefers_not_to_wait(&headers).then(Arc::default),
                    received_at: arrival.at,
                };
                match self.checkpoint(wanted, Arc::clone(place)).await? {
                    Taken::Stored(checkpoint) => {
                        reply::json(&json!({ "items": [checkpoint.path] }))
                    }
                    Taken::Accepted(id) => reply::accepted(id),
                }
            }
            route => {
                span::of_subject(&arrival.span, Some(caller.identity().user.clone()), None);
                let sending = Sending {
                    tasks: self.downloads.clone(),
                    place: Arc::clone(place),
                    patience: self.settings.idle,
                };
                let call = Call {
                    subject,
                    caller,
                    received_at: arrival.at,
                    headers,
                };
                access::answer(&self.cx, call, route, &sending).await
            }
        }
    }

    async fn read(
        &self,
        arrival: &Arrival,
        request: Request<Incoming>,
        told: &mut Told,
    ) -> Result<Route, Error> {
        let route = Route::of(&request)?;
        told.action = route.word();
        span::name(&arrival.span, &route);
        if let Route::Checkpoint { target, .. } = &route {
            told.target = Some(target.clone());
            if !self.settings.checkpoints {
                return Err(Error::Disabled);
            }
        }
        told.reason = reason(request.headers())?;
        self.drain(request.into_body()).await?;
        Ok(route)
    }

    /// No call needs a body. What comes nevertheless is bounded in size and time, and thrown away.
    async fn drain(&self, body: Incoming) -> Result<(), Error> {
        if body.is_end_stream() {
            return Ok(());
        }
        match tokio::time::timeout(self.settings.body_wait, length(body)).await {
            Ok(Some(length)) if length <= self.settings.body_max => Ok(()),
            Ok(Some(_)) => Err(Error::BodyTooLarge),
            Ok(None) | Err(_) => Err(Error::BodyLost),
        }
    }

    /// The work runs in a task of its own: whoever goes away, or has waited long enough, only stops waiting.
    async fn checkpoint(&self, wanted: Wanted, place: Place) -> Result<Taken, Error> {
        if self.stop.is_cancelled() {
            return Err(Error::Draining);
        }
        let id = wanted.checkpoint_id;
        let patience = wanted
            .timeout_seconds
            .and_then(NonZeroU32::new)
            .unwrap_or(self.settings.default_wait);
        let patience = patience.min(self.settings.max_wait);
        let (span, accepted) = (span::of_work(&wanted), wanted.accepted.clone());
        let cx = self.cx.clone();
        let work = self.work.spawn(
            async move {
                let _place = place;
                recorded(cx, wanted).await
            }
            .instrument(span),
        );
        let accepted = async move {
            match accepted {
                Some(accepted) => accepted.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            done = tokio::time::timeout(seconds(patience), work) => match done {
                Ok(done) => done.unwrap_or(Err(Error::Internal)).map(|stored| Taken::Stored(Box::new(stored))),
                Err(_) => Err(Error::WaitOver { seconds: patience, id }),
            },
            () = accepted => Ok(Taken::Accepted(id)),
        }
    }

    fn close(
        &self,
        arrival: &Arrival,
        told: &Told,
        result: Result<Response<Body>, Error>,
    ) -> Response<Body> {
        let failure = result
            .as_ref()
            .err()
            .map(|error| (error.answer(), cause(error)));
        let response = result.unwrap_or_else(|error| reply::problem(&error, arrival.marks));
        let status = response.status();
        let code = failure.as_ref().map_or("", |(answer, _)| answer.code);
        let took = arrival.since.elapsed();
        let labels = RequestLabels {
            action: told.action,
            status: status.as_u16(),
            code,
        };
        self.cx.metrics.request(&labels, took);
        span::of_peer(&arrival.span, &arrival.peer, &told.hidden);
        span::close(&arrival.span, status, code);
        info!(
            status = status.as_u16(),
            code,
            call = told.action,
            user = told.hidden.show(&HiddenField::User, told.user()).flatten(),
            target = told.target.as_ref().map(ToString::to_string),
            peer = told.hidden.show(
                &HiddenField::SourceAddress,
                arrival.peer.address.to_string()
            ),
            cause = failure.map(|(_, cause)| cause),
            took_ms = took.as_secs_f64() * 1e3,
            "answered"
        );
        reply::marked(response, arrival.marks)
    }
}
