//! Access to checkpoints that exist: seen, fetched, held and removed by those whom a policy lets, each under its own
//! action, and written down.

mod body;
mod download;
mod list;
mod range;

use std::collections::BTreeMap;

use gateway_core::{
    Action, Archive, Checkpoint, CheckpointId, Hold, Identity, Inspection, Outcome, PlanRecord,
    Request, RequestRecord, Verdict,
};
use gateway_policy::Evaluation;
use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tracing::{Instrument, info_span};

use crate::audit_records::Subject;
use crate::authn::Caller;
use crate::pipeline::{Context, decide};
use crate::reply::{self, Body};
use crate::route::Route;
use crate::{Error, audit_records, span};

pub(crate) use download::Sending;

/// A call about checkpoints that exist, by a proven caller.
pub(crate) struct Call {
    /// What every record of it tells.
    pub(crate) subject: Subject,
    pub(crate) caller: Caller,
    pub(crate) received_at: Timestamp,
    pub(crate) headers: HeaderMap,
}

/// A checkpoint about which policies let the caller do what they ask for: nothing else opens, changes or shows one.
struct Permitted {
    checkpoint: Checkpoint,
    request: Request,
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
        Route::List(query) => list::answer(cx, &call, query).await,
        Route::Inspect(id) => {
            let seen = permit(cx, &call, id, Action::Inspect).await?;
            let inspection = look_into(cx, id).instrument(info_span!("inspect")).await?;
            // What nobody can find in the log is not shown.
            call.subject.close(cx, call.ended(&seen, Ok(200))).await?;
            reply::json(&Inspected {
                checkpoint: &seen.checkpoint,
                inspection,
            })
        }
        Route::Download { id, original } => {
            let action = if original {
                Action::DownloadOriginal
            } else {
                Action::Download
            };
            let permitted = permit(cx, &call, id, action).await?;
            download::answer(cx, call, permitted, sending).await
        }
        Route::Delete(id) => {
            let permitted = permit(cx, &call, id, Action::Delete).await?;
            change(cx, &call, permitted, StatusCode::NO_CONTENT, move |store| {
                store.delete(id)
            })
            .await?;
            Ok(reply::empty(StatusCode::NO_CONTENT))
        }
        Route::Hold(id) => {
            let permitted = permit(cx, &call, id, Action::Hold).await?;
            let by = call.caller.identity().user.clone();
            let hold = Hold {
                by,
                at: call.received_at,
                reason: call.subject.reason.clone(),
            };
            let pinned = change(cx, &call, permitted, StatusCode::OK, move |store| {
                store.hold(id, &hold)
            })
            .await?;
            reply::json(&json!({ "id": pinned.id, "hold": pinned.hold }))
        }
        Route::Release(id) => {
            let permitted = permit(cx, &call, id, Action::Hold).await?;
            change(cx, &call, permitted, StatusCode::NO_CONTENT, move |store| {
                store.release(id)
            })
            .await?;
            Ok(reply::empty(StatusCode::NO_CONTENT))
        }
        Route::Checkpoint { .. } | Route::WhoAmI | Route::OpenApi => Err(Error::Internal),
    }
}

/// What is in the archive: processes, names of variables, mounts.
async fn look_into(cx: &Context, id: CheckpointId) -> Result<Inspection, Error> {
    let store = cx.store.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let Some((_, mut file)) = store.open_archive(id)? else {
            return Ok(None);
        };
        gateway_redact::inspect(&mut file)
            .map(Some)
            .map_err(gateway_archive::Error::from)
    });
    looking
        .await
        .map_err(|_| Error::Internal)??
        .ok_or(Error::NoCheckpoint)
}

/// What is known of a checkpoint, and what is in its archive.
#[derive(Serialize)]
struct Inspected<'a> {
    #[serde(flatten)]
    checkpoint: &'a Checkpoint,
    inspection: Inspection,
}

/// The checkpoint, if there is one and the policies let the caller do this with it. A denial goes on record, too.
async fn permit(
    cx: &Context,
    call: &Call,
    id: CheckpointId,
    action: Action,
) -> Result<Permitted, Error> {
    let store = cx.store.clone();
    let found = tokio::task::spawn_blocking(move || store.find(id))
        .await
        .map_err(|_| Error::Internal)??;
    let checkpoint = found.ok_or(Error::NoCheckpoint)?;
    span::of_checkpoint(&checkpoint);
    call.subject.hidden.add_of(&checkpoint);
    let request = call.request(action)(&checkpoint);
    let mut verdicts = Vec::new();
    let decided = decide(cx, cx.policies.now(), request.clone(), &mut verdicts).await;
    let was = Evaluation {
        verdicts: verdicts.clone(),
        plan: PlanRecord::default(),
    };
    cx.policies.shadow().offer(&call.subject, &request, was);
    let permitted = Permitted {
        checkpoint,
        request,
        verdicts,
    };
    match decided {
        Ok(()) => Ok(permitted),
        Err(denied) => {
            // It is counted and logged where it is lost; denied they are.
            let _ = call
                .subject
                .close(cx, call.ended(&permitted, Err(&denied)))
                .await;
            Err(denied)
        }
    }
}

/// Does something to a checkpoint, after it is written down that it will be done.
async fn change(
    cx: &Context,
    call: &Call,
    permitted: Permitted,
    status: StatusCode,
    act: impl FnOnce(&gateway_archive::Store) -> Result<Option<Checkpoint>, gateway_archive::Error>
    + Send
    + 'static,
) -> Result<Checkpoint, Error> {
    intend(cx, call, &permitted).await?;
    let store = cx.store.clone();
    let done = tokio::task::spawn_blocking(move || act(&store))
        .await
        .map_err(|_| Error::Internal)?;
    let done = done
        .map_err(Error::from)
        .and_then(|done| done.ok_or(Error::NoCheckpoint));
    let outcome = call.ended(&permitted, done.as_ref().map(|_| status.as_u16()));
    // It is counted and logged where it is lost; what is done is done, and the intent tells it.
    let _ = call
        .subject
        .close(
            cx,
            Outcome {
                request: None,
                ..outcome
            },
        )
        .await;
    done
}

/// Writes down what is about to be done, durably.
async fn intend(cx: &Context, call: &Call, permitted: &Permitted) -> Result<(), Error> {
    let Permitted {
        checkpoint,
        request,
        verdicts,
    } = permitted;
    let hidden = &call.subject.hidden;
    let event = audit_records::intent(
        request,
        hidden,
        verdicts.clone(),
        PlanRecord::default(),
        checkpoint.id,
    );
    call.subject.intend(cx, event).await.map(drop)
}

impl Call {
    /// What policies are asked about a checkpoint.
    fn request(&self, action: Action) -> impl Fn(&Checkpoint) -> Request + Send + 'static {
        let subject = &self.subject;
        let (id, identity, reason) = (
            subject.request_id,
            self.caller.identity().clone(),
            subject.reason.clone(),
        );
        let (source_address, received_at) = (subject.source_address, self.received_at);
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

    /// How it ended for a checkpoint that there is: with a status, or an error.
    fn ended(&self, permitted: &Permitted, ended: Result<u16, &Error>) -> Outcome {
        let Permitted {
            checkpoint,
            request,
            verdicts,
        } = permitted;
        let told = match ended {
            Ok(status) => Outcome {
                status,
                ..self.subject.outcome()
            },
            Err(error) => self.subject.failed(error),
        };
        Outcome {
            target: Some(checkpoint.target.clone()),
            verdicts: self.subject.hidden.verdicts(verdicts.clone()),
            sha256: Some(checkpoint.sha256.clone()),
            request: Some(RequestRecord::of(request, &self.subject.hidden.fields())),
            ..told
        }
    }
}
