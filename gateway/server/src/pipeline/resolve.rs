//! The stage that finds the container and collects what policies may know of the request.

use std::collections::BTreeMap;

use gateway_core::{Action, Archive, CheckpointId, Container, Request, RuntimeInfo, Target};
use opentelemetry_semantic_conventions::attribute as semconv;
use tracing::{Instrument, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{CheckpointRequest, Pipeline};
use crate::Error;
use crate::config::LastApplied;
use crate::hidden_fields::HiddenFields;
use crate::request_context::RequestContext;

/// kubectl's copy of the whole manifest, with the values of its environment variables.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A request whose container exists and runs, with all that a policy may know.
pub(super) struct Resolved {
    context: RequestContext,
    checkpoint_id: CheckpointId,
    request: Request,
    runtime: RuntimeInfo,
}

impl Resolved {
    pub(super) fn context(&self) -> &RequestContext {
        &self.context
    }

    pub(super) fn checkpoint_id(&self) -> CheckpointId {
        self.checkpoint_id
    }

    /// The request that policies get.
    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    pub(super) fn runtime(&self) -> &RuntimeInfo {
        &self.runtime
    }
}

impl Pipeline {
    pub(super) async fn resolve(&self, wanted: CheckpointRequest) -> Result<Resolved, Error> {
        let (container, runtime) = self
            .look_up(&wanted.target)
            .instrument(info_span!("resolve"))
            .await?;
        let work = Span::current();
        work.set_attribute(semconv::CONTAINER_ID, container.id.clone());
        work.set_attribute(semconv::K8S_POD_UID, container.pod_uid.clone());
        let context = wanted.context;
        let latest = self.latest(&wanted.target, context.hidden()).await?;
        let request = Request {
            id: context.ids().request_id,
            action: Action::Create,
            identity: wanted.caller.identity().clone(),
            target: container,
            archive: None,
            latest,
            reason: context.reason().map(str::to_owned),
            timeout_seconds: wanted.timeout_seconds,
            source_address: context.peer().address,
            received_at: context.received_at(),
            headers: BTreeMap::new(),
        };
        Ok(Resolved {
            context,
            checkpoint_id: wanted.checkpoint_id,
            request,
            runtime,
        })
    }

    async fn look_up(&self, target: &Target) -> Result<(Container, RuntimeInfo), Error> {
        let mut container = self.runtime.resolve(target).await?;
        if self.last_applied == LastApplied::Drop {
            container.annotations.remove(LAST_APPLIED);
            container.pod_annotations.remove(LAST_APPLIED);
        }
        Ok((container, self.runtime.info().await?))
    }

    /// The newest stored checkpoint of the container.
    async fn latest(
        &self,
        target: &Target,
        hidden: &HiddenFields,
    ) -> Result<Option<Archive>, Error> {
        let (store, target) = (self.store.clone(), target.clone());
        let newest = tokio::task::spawn_blocking(move || store.latest(&target));
        let newest = newest.await.map_err(|_| Error::Internal)??;
        Ok(newest.map(|checkpoint| {
            hidden.add_of_latest(&checkpoint);
            Archive {
                id: checkpoint.id,
                created_by: checkpoint.created_by,
                created_at: checkpoint.created_at,
                bytes: checkpoint.bytes,
            }
        }))
    }
}
