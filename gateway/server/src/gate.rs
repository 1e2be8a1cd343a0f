//! The one wrapper around every request: it owns the request's id, its span, its outcome in the audit log and the one
//! place where an error becomes a status.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_core::{Action, Checkpoint, CheckpointId, Event, Outcome, Record, RequestId, Target, TraceId};
use http::header::HeaderMap;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, error, info, info_span};
use uuid::Uuid;

use crate::access::{self, Call, Sending};
use crate::authn::{Authenticator, Caller};
use crate::config::{Config, seconds};
use crate::connection::Peer;
use crate::hidden::Hidden;
use crate::line::{Context, Notes, Wanted, line};
use crate::reply::{self, Body, Marks};
use crate::route::Route;
use crate::telemetry::{self, RequestLabels};
use crate::{Error, span};

/// The longest reason that a caller may give, in bytes.
const REASON_MAX: usize = 1024;

/// How much of a body is read only to be thrown away, in bytes.
const BODY_DISCARDED: usize = 1 << 20;

/// What answers the main listener's requests.
pub(crate) struct Gate {
    cx: Context,
    authenticator: Authenticator,
    settings: Settings,
    requests: Arc<Semaphore>,
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

/// A request that has arrived.
struct Arrival {
    peer: Arc<Peer>,
    marks: Marks,
    at: Timestamp,
    since: Instant,
    span: Span,
}

/// What a caller is told of a checkpoint that is taken for them.
enum Taken {
    /// It is there.
    Stored(Box<Checkpoint>),
    /// It is on its way.
    Accepted(CheckpointId),
}

/// What the log line and the metrics tell of a request.
#[derive(Default)]
struct Told {
    action: &'static str,
    user: Option<String>,
    target: Option<Target>,
    hidden: Hidden,
}

impl Gate {
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
    pub(crate) async fn answer(&self, peer: Arc<Peer>, request: Request<Incoming>) -> Response<Body> {
        let span = span::of_request(&request, &peer);
        let marks =
            Marks { request_id: RequestId::from(Uuid::now_v7()), trace_id: telemetry::trace_id(&span) };
        span::mark(&span, marks);
        let arrival =
            Arrival { peer, marks, at: Timestamp::now(), since: Instant::now(), span: span.clone() };
        let mut told = Told::default();
        async {
            let result = self.dispatch(&arrival, request, &mut told).await;
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
    ) -> Result<Response<Body>, Error> {
        let place = Arc::clone(&self.requests).try_acquire_owned().map_err(|_| Error::Overloaded)?;
        let caller = info_span!("authn")
            .in_scope(|| self.authenticator.verify(request.headers(), arrival.peer.certificate.as_ref()))?;
        told.user = Some(caller.identity().user.clone());
        let headers = request.headers().clone();
        let (route, reason) = self.read(arrival, request, told).await?;
        match route {
            Route::WhoAmI => reply::json(caller.identity()),
            Route::Checkpoint { target, timeout_seconds } => {
                let mut wanted = arrival.wanted(caller, target, reason, timeout_seconds, told.hidden.clone());
                wanted.accepted = prefers_not_to_wait(&headers).then(Arc::default);
                match self.checkpoint(wanted, place).await? {
                    Taken::Stored(checkpoint) => reply::json(&json!({ "items": [checkpoint.path] })),
                    Taken::Accepted(id) => reply::accepted(id),
                }
            }
            route => {
                span::of_subject(&arrival.span, Some(caller.identity().user.clone()), None);
                let sending = Sending {
                    tasks: self.downloads.clone(),
                    place: std::sync::Mutex::new(Some(place)),
                    patience: self.settings.idle,
                };
                access::answer(&self.cx, arrival.call(caller, reason, headers), route, &sending).await
            }
        }
    }

    async fn read(
        &self,
        arrival: &Arrival,
        request: Request<Incoming>,
        told: &mut Told,
    ) -> Result<(Route, Option<String>), Error> {
        let route = Route::of(&request)?;
        told.action = route.action();
        span::name(&arrival.span, &route);
        if let Route::Checkpoint { target, .. } = &route {
            told.target = Some(target.clone());
            if !self.settings.checkpoints {
                return Err(Error::Disabled);
            }
        }
        let reason = reason(request.headers())?;
        self.drain(request.into_body()).await?;
        Ok((route, reason))
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
    async fn checkpoint(&self, wanted: Wanted, place: OwnedSemaphorePermit) -> Result<Taken, Error> {
        if self.stop.is_cancelled() {
            return Err(Error::Draining);
        }
        let id = wanted.checkpoint_id;
        let patience = wanted.timeout_seconds.and_then(NonZeroU32::new).unwrap_or(self.settings.default_wait);
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

    fn close(&self, arrival: &Arrival, told: &Told, result: Result<Response<Body>, Error>) -> Response<Body> {
        let failure = result.as_ref().err().map(|error| (error.answer(), cause(error)));
        let response = result.unwrap_or_else(|error| reply::problem(&error, arrival.marks));
        let status = response.status();
        let code = failure.as_ref().map_or("", |(answer, _)| answer.code);
        let took = arrival.since.elapsed();
        let labels = RequestLabels { action: told.action, status: status.as_u16(), code };
        self.cx.metrics.request(&labels, took);
        span::of_peer(&arrival.span, &arrival.peer, &told.hidden);
        span::close(&arrival.span, status, code);
        info!(
            status = status.as_u16(),
            code,
            call = told.action,
            user = told.hidden.show("identity.user", told.user.as_deref()).flatten(),
            target = told.target.as_ref().map(ToString::to_string),
            peer = told.hidden.show("source-address", arrival.peer.address.to_string()),
            cause = failure.map(|(_, cause)| cause),
            took_ms = took.as_secs_f64() * 1e3,
            "answered"
        );
        reply::marked(response, arrival.marks)
    }
}

impl Arrival {
    fn call(&self, caller: Caller, reason: Option<String>, headers: HeaderMap) -> Call {
        Call {
            request_id: self.marks.request_id,
            trace_id: self.marks.trace_id,
            caller,
            reason,
            source_address: self.peer.address,
            received_at: self.at,
            since: self.since,
            headers,
        }
    }

    fn wanted(
        &self,
        caller: Caller,
        target: Target,
        reason: Option<String>,
        timeout_seconds: Option<u32>,
        hidden: Hidden,
    ) -> Wanted {
        Wanted {
            request_id: self.marks.request_id,
            trace_id: self.marks.trace_id,
            checkpoint_id: Uuid::now_v7().into(),
            caller,
            target,
            reason,
            timeout_seconds,
            source_address: self.peer.address,
            hidden,
            accepted: None,
            received_at: self.at,
        }
    }
}

/// The line, and how it ended, in the audit log. A panic in it ends here, as an outcome like any other, and so does a
/// process that has no more time for it.
async fn recorded(cx: Context, wanted: Wanted) -> Result<Checkpoint, Error> {
    let (since, subject) = (Instant::now(), Subject::of(&wanted));
    let task = TaskTracker::new();
    let inner = cx.clone();
    let walk = async move {
        let mut notes = Notes::default();
        let result = line(&inner, wanted, &mut notes).await;
        (result, notes)
    };
    let (result, notes) = tokio::select! {
        walked = task.spawn(walk.in_current_span()) => walked.unwrap_or_else(|_| (Err(Error::Internal), Notes::default())),
        () = cx.cut.cancelled() => (Err(Error::CutShort), Notes::default()),
    };
    subject.tell(notes.image.clone());
    let record = subject.record(&result, notes, since.elapsed());
    let written =
        cx.audit.close(record).instrument(info_span!("audit", checkpoint_gateway.audit.event = "outcome"));
    if let Err(lost) = written.await {
        cx.metrics.audit_failures.inc();
        error!(cause = cause(&lost), "the outcome of a checkpoint is not in the audit log");
    }
    if let Ok(checkpoint) = &result {
        info!(checkpoint_id = %checkpoint.id, bytes = checkpoint.bytes, sha256 = checkpoint.sha256, "stored");
    }
    span::fail(&Span::current(), &result);
    result
}

/// What a record tells of a request however it ends.
struct Subject {
    request_id: RequestId,
    trace_id: Option<TraceId>,
    user: String,
    source_address: IpAddr,
    target: Target,
    hidden: Hidden,
}

impl Subject {
    fn of(wanted: &Wanted) -> Self {
        Self {
            request_id: wanted.request_id,
            trace_id: wanted.trace_id,
            user: wanted.caller.identity().user.clone(),
            source_address: wanted.source_address,
            target: wanted.target.clone(),
            hidden: wanted.hidden.clone(),
        }
    }

    fn tell(&self, image: Option<String>) {
        let user = self.hidden.show("identity.user", self.user.clone());
        span::of_subject(&Span::current(), user, self.hidden.show("target.image", image).flatten());
    }

    fn record(self, result: &Result<Checkpoint, Error>, notes: Notes, took: Duration) -> Record {
        let answer = result.as_ref().err().map(Error::answer);
        let stored = result.as_ref().ok();
        let outcome = Outcome {
            action: Some(Action::Create),
            user: self.hidden.show("identity.user", self.user),
            source_address: self.hidden.show("source-address", self.source_address),
            target: Some(self.target),
            status: answer.map_or(200, |answer| answer.status.as_u16()),
            code: answer.map(|answer| answer.code.to_owned()),
            verdicts: notes.verdicts,
            checkpoint_id: stored.map(|checkpoint| checkpoint.id),
            sha256: stored.map(|checkpoint| checkpoint.sha256.clone()),
            bytes: stored.map(|checkpoint| checkpoint.bytes),
            redaction: stored.and_then(|checkpoint| checkpoint.redaction.clone()),
            hidden: self.hidden.fields(),
            duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        };
        Record {
            schema: Record::SCHEMA,
            at: Timestamp::now(),
            request_id: self.request_id,
            trace_id: self.trace_id,
            event: Event::Outcome(outcome),
        }
    }
}

/// How many bytes come; `None` where they break off. What is much too long is not read to its end, but read further than
/// the bound, since a caller who is still writing when the connection closes would not see why.
async fn length(mut body: Incoming) -> Option<usize> {
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        length = length.saturating_add(frame.ok()?.data_ref().map_or(0, bytes::Bytes::len));
        if length > BODY_DISCARDED {
            break;
        }
    }
    Some(length)
}

/// Whether the caller says `Prefer: respond-async` (RFC 7240, section 4.1).
fn prefers_not_to_wait(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    preferences.flat_map(|value| value.split(',')).any(|one| {
        one.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("respond-async"))
    })
}

fn reason(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let mut values = headers.get_all("x-checkpoint-reason").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| Error::BadReason)?.trim();
    let fits = (1..=REASON_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits && values.next().is_none() { Ok(Some(text.to_owned())) } else { Err(Error::BadReason) }
}

/// An error and all that led to it, on one line, for the log.
pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    gateway_core::one_line(&text, 2048)
}
