//! Access to checkpoints that exist: seen, fetched, held and removed by those whom a policy lets, each under its own
//! action, and written down.

mod body;
mod download;
mod range;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_archive::Filter;
use gateway_core::{
    Action, Archive, Checkpoint, CheckpointId, Event, Hold, Identity, Inspection, Outcome, PlanRecord,
    Record, Request, RequestId, TraceId, Verdict,
};
use gateway_policy::Policies;
use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tracing::{Instrument, error, info_span};

use crate::authn::Caller;
use crate::gate::cause;
use crate::line::{Context, decide};
use crate::query::Query;
use crate::reply::{self, Body};
use crate::route::Route;
use crate::{Error, span};

pub(crate) use download::Sending;

/// How many checkpoints are looked at for one page of those that a caller may see.
const LOOKED_AT_MAX: usize = 2000;

/// A call about checkpoints that exist, by a proven caller.
pub(crate) struct Call {
    pub(crate) request_id: RequestId,
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) caller: Caller,
    pub(crate) reason: Option<String>,
    pub(crate) source_address: IpAddr,
    pub(crate) received_at: Timestamp,
    pub(crate) since: Instant,
    pub(crate) headers: HeaderMap,
}

/// A checkpoint about which policies let the caller do what they ask for: nothing else opens, changes or shows one.
struct Permitted {
    checkpoint: Checkpoint,
    action: Action,
    verdicts: Vec<Verdict>,
}

/// Answers a call that is about checkpoints that exist; `sending` carries out what takes longer than its answer.
pub(crate) async fn answer(
    cx: &Context,
    call: Call,
    route: Route,
    sending: &Sending,
) -> Result<Response<Body>, Error> {
    match route {
        Route::List(query) => list(cx, &call, query).await,
        Route::Inspect(id) => {
            let seen = permit(cx, &call, id, Action::Inspect).await?;
            let inspection = look_into(cx, id).instrument(info_span!("inspect")).await?;
            record(cx, &call, &seen, 200).await;
            reply::json(&Inspected { checkpoint: &seen.checkpoint, inspection })
        }
        Route::Download { id, original } => {
            let action = if original { Action::DownloadOriginal } else { Action::Download };
            let permitted = permit(cx, &call, id, action).await?;
            download::answer(cx, call, permitted, sending).await
        }
        Route::Delete(id) => {
            let permitted = permit(cx, &call, id, Action::Delete).await?;
            change(cx, &call, permitted, move |store| store.delete(id)).await?;
            Ok(reply::empty(StatusCode::NO_CONTENT))
        }
        Route::Hold(id) => {
            let permitted = permit(cx, &call, id, Action::Hold).await?;
            let by = call.caller.identity().user.clone();
            let hold = Hold { by, at: call.received_at, reason: call.reason.clone() };
            let pinned = change(cx, &call, permitted, move |store| store.hold(id, &hold)).await?;
            reply::json(&json!({ "id": pinned.id, "hold": pinned.hold }))
        }
        Route::Release(id) => {
            let permitted = permit(cx, &call, id, Action::Hold).await?;
            change(cx, &call, permitted, move |store| store.release(id)).await?;
            Ok(reply::empty(StatusCode::NO_CONTENT))
        }
        Route::Checkpoint { .. } | Route::WhoAmI => Err(Error::Internal),
    }
}

/// What is in the archive: processes, names of variables, mounts.
async fn look_into(cx: &Context, id: CheckpointId) -> Result<Inspection, Error> {
    let store = cx.store.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let Some((_, mut file)) = store.open_archive(id)? else { return Ok(None) };
        gateway_archive::inspect(&mut file).map(Some)
    });
    looking.await.map_err(|_| Error::Internal)??.ok_or(Error::NoCheckpoint)
}

/// What is known of a checkpoint, and what is in its archive.
#[derive(Serialize)]
struct Inspected<'a> {
    #[serde(flatten)]
    checkpoint: &'a Checkpoint,
    inspection: Inspection,
}

/// Those that the caller may see: each is a question of its own to the policies.
async fn list(cx: &Context, call: &Call, query: Query) -> Result<Response<Body>, Error> {
    let policies = cx.policies.now();
    let (store, request) = (cx.store.clone(), call.request(Action::List));
    let looking = tokio::task::spawn_blocking(move || visible(&store, &policies, &request, &query));
    let (seen, next) = looking.instrument(info_span!("list")).await.map_err(|_| Error::Internal)??;
    close(cx, call, Outcome { action: Some(Action::List), status: 200, ..call.outcome() }).await;
    reply::json(&json!({ "items": seen, "next": next }))
}

fn visible(
    store: &gateway_archive::Store,
    policies: &Arc<Policies>,
    request: &impl Fn(&Checkpoint) -> Request,
    query: &Query,
) -> Result<(Vec<Checkpoint>, Option<CheckpointId>), Error> {
    let filter = Filter {
        namespace: query.namespace.clone(),
        pod: query.pod.clone(),
        container: query.container.clone(),
        since: query.since,
        until: query.until,
    };
    let (mut seen, mut after, mut looked_at) = (Vec::new(), query.after, 0_usize);
    loop {
        let page = store.list(&filter, after, query.limit)?;
        for checkpoint in page.checkpoints {
            if seen.len() == query.limit {
                return Ok((seen, after));
            }
            after = Some(checkpoint.id);
            looked_at = looked_at.saturating_add(1);
            let verdicts = policies.authorize(&request(&checkpoint));
            if gateway_policy::decide(&verdicts).is_ok() {
                seen.push(checkpoint);
            }
        }
        after = page.next;
        if after.is_none() || seen.len() == query.limit || looked_at >= LOOKED_AT_MAX {
            return Ok((seen, after));
        }
    }
}

/// The checkpoint, if there is one and the policies let the caller do this with it. A denial goes on record, too.
async fn permit(cx: &Context, call: &Call, id: CheckpointId, action: Action) -> Result<Permitted, Error> {
    let store = cx.store.clone();
    let found = tokio::task::spawn_blocking(move || store.find(id)).await.map_err(|_| Error::Internal)??;
    let checkpoint = found.ok_or(Error::NoCheckpoint)?;
    span::of_checkpoint(&checkpoint);
    let request = call.request(action)(&checkpoint);
    let mut verdicts = Vec::new();
    let decided = decide(cx, cx.policies.now(), request, &mut verdicts).await;
    let permitted = Permitted { checkpoint, action, verdicts };
    match decided {
        Ok(()) => Ok(permitted),
        Err(denied) => {
            record(cx, call, &permitted, denied.answer().status.as_u16()).await;
            Err(denied)
        }
    }
}

/// Does something to a checkpoint, after it is written down that it will be done.
async fn change(
    cx: &Context,
    call: &Call,
    permitted: Permitted,
    act: impl FnOnce(&gateway_archive::Store) -> Result<Option<Checkpoint>, gateway_archive::Error>
    + Send
    + 'static,
) -> Result<Checkpoint, Error> {
    intend(cx, call, &permitted).await?;
    let store = cx.store.clone();
    let done = tokio::task::spawn_blocking(move || act(&store)).await.map_err(|_| Error::Internal)?;
    let done = done.map_err(Error::from).and_then(|done| done.ok_or(Error::NoCheckpoint));
    let status = done.as_ref().map_or_else(|error| error.answer().status.as_u16(), |_| 200);
    record(cx, call, &permitted, status).await;
    done
}

/// Writes down what is about to be done, durably.
async fn intend(cx: &Context, call: &Call, permitted: &Permitted) -> Result<(), Error> {
    let (identity, checkpoint) = (call.caller.identity(), &permitted.checkpoint);
    let event = Event::Intent {
        action: permitted.action,
        user: Some(identity.user.clone()),
        groups: identity.groups.clone(),
        credential: identity.credential,
        issuer: identity.issuer.clone(),
        source_address: Some(call.source_address),
        reason: call.reason.clone(),
        target: checkpoint.target.clone(),
        container_id: checkpoint.container_id.clone(),
        verdicts: permitted.verdicts.clone(),
        plan: PlanRecord::default(),
        checkpoint_id: checkpoint.id,
    };
    let written = cx.audit.intend(call.record(event));
    let written = written.instrument(info_span!("audit", checkpoint_gateway.audit.event = "intent"));
    written.await.inspect_err(|_| {
        cx.metrics.audit_failures.inc();
    })?;
    Ok(())
}

async fn record(cx: &Context, call: &Call, permitted: &Permitted, status: u16) {
    let Permitted { checkpoint, action, verdicts } = permitted;
    let outcome = Outcome {
        action: Some(*action),
        target: Some(checkpoint.target.clone()),
        status,
        code: (status == 403).then(|| "denied".to_owned()),
        verdicts: verdicts.clone(),
        checkpoint_id: Some(checkpoint.id),
        sha256: Some(checkpoint.sha256.clone()),
        ..call.outcome()
    };
    close(cx, call, outcome).await;
}

async fn close(cx: &Context, call: &Call, outcome: Outcome) {
    let written = cx.audit.close(call.record(Event::Outcome(outcome)));
    let written = written.instrument(info_span!("audit", checkpoint_gateway.audit.event = "outcome"));
    if let Err(lost) = written.await {
        cx.metrics.audit_failures.inc();
        error!(cause = cause(&lost), "the outcome of a request is not in the audit log");
    }
}

impl Call {
    /// What policies are asked about a checkpoint.
    fn request(&self, action: Action) -> impl Fn(&Checkpoint) -> Request + Send + 'static {
        let (id, identity, reason) = (self.request_id, self.caller.identity().clone(), self.reason.clone());
        let (source_address, received_at) = (self.source_address, self.received_at);
        move |checkpoint| Request {
            id,
            action,
            identity: Identity::clone(&identity),
            target: checkpoint.facts.clone(),
            archive: Some(Archive {
                id: checkpoint.id,
                created_by: checkpoint.created_by.clone(),
                created_at: checkpoint.created_at,
                bytes: checkpoint.bytes,
            }),
            latest: None,
            reason: reason.clone(),
            timeout_seconds: None,
            source_address,
            received_at,
            headers: BTreeMap::new(),
        }
    }

    fn record(&self, event: Event) -> Record {
        Record {
            schema: Record::SCHEMA,
            at: Timestamp::now(),
            request_id: self.request_id,
            trace_id: self.trace_id,
            event,
        }
    }

    /// What is known of every outcome of this call.
    fn outcome(&self) -> Outcome {
        Outcome {
            action: None,
            user: Some(self.caller.identity().user.clone()),
            source_address: Some(self.source_address),
            target: None,
            status: 0,
            code: None,
            verdicts: Vec::new(),
            checkpoint_id: None,
            sha256: None,
            bytes: None,
            redaction: None,
            hidden: Vec::new(),
            duration_us: microseconds(self.since.elapsed()),
        }
    }
}

fn microseconds(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
