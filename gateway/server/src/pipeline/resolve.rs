use std::collections::BTreeMap;

use gateway_core::{Action, Archive, CheckpointId, Request, RuntimeInfo, Target};
use opentelemetry_semantic_conventions::attribute as semconv;
use tracing::{Instrument, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{Context, Wanted};
use crate::Error;
use crate::audit_records::Subject;
use crate::hidden_fields::Hidden;

/// A request whose container exists and runs, with all that a policy may know.
#[derive(Debug)]
pub(super) struct Resolved {
    request: Request,
    checkpoint_id: CheckpointId,
    runtime: RuntimeInfo,
    subject: Subject,
}

impl Resolved {
    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    pub(super) fn checkpoint_id(&self) -> CheckpointId {
        self.checkpoint_id
    }

    /// What every record of it tells.
    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }

    pub(super) fn runtime(&self) -> &RuntimeInfo {
        &self.runtime
    }
}

/// The newest checkpoint of the container that the store holds.
async fn latest(cx: &Context, target: &Target, hidden: &Hidden) -> Result<Option<Archive>, Error> {
    let (store, target) = (cx.store.clone(), target.clone());
    let newest = tokio::task::spawn_blocking(move || store.latest(&target))
        .await
        .map_err(|_| Error::Internal)??;
    if let Some(checkpoint) = &newest {
        hidden.add_of_latest(checkpoint);
    }
    Ok(newest.map(|checkpoint| Archive {
        id: checkpoint.id,
        created_by: checkpoint.created_by,
        created_at: checkpoint.created_at,
        bytes: checkpoint.bytes,
    }))
}

pub(super) async fn resolve(cx: &Context, wanted: Wanted) -> Result<Resolved, Error> {
    let span = info_span!("resolve");
    let look_up = async {
        Ok::<_, Error>((
            cx.runtime.resolve(&wanted.target).await?,
            cx.runtime.info().await?,
        ))
    };
    let (container, runtime) = look_up.instrument(span).await?;
    let latest = latest(cx, &wanted.target, &wanted.subject.hidden).await?;
    let work = Span::current();
    work.set_attribute(semconv::CONTAINER_ID, container.id.clone());
    work.set_attribute(semconv::K8S_POD_UID, container.pod_uid.clone());
    Ok(Resolved {
        request: Request {
            id: wanted.subject.request_id,
            action: Action::Create,
            identity: wanted.caller.into_identity(),
            target: container,
            archive: None,
            latest,
            reason: wanted.subject.reason.clone(),
            timeout_seconds: wanted.timeout_seconds,
            source_address: wanted.subject.source_address,
            received_at: wanted.received_at,
            headers: BTreeMap::new(),
        },
        checkpoint_id: wanted.checkpoint_id,
        runtime,
        subject: wanted.subject,
    })
}
