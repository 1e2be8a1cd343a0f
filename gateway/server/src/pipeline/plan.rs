//! The stage that asks the redactors what must be hidden in the checkpoint.

use std::sync::Arc;

use gateway_core::{Container, Plan};
use gateway_policy::Planning;
use gateway_redact::{CompiledPlan, EnvValue, Redaction, RedactionSettings};
use tracing::{Instrument, Span, info_span};

use super::authorize::Authorized;
use super::resolve::Resolved;
use super::{Notes, Pipeline};
use crate::Error;
use crate::visible_request::VisibleRequest;

/// An allowed request together with the plan for its redaction.
pub(super) struct Planned {
    authorized: Authorized,
    plan: Plan,
    redaction: Option<Redaction>,
    visible: VisibleRequest,
}

impl Planned {
    pub(super) fn resolved(&self) -> &Resolved {
        self.authorized.resolved()
    }

    pub(super) fn container(&self) -> &Container {
        &self.resolved().request().target
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The changes to make to the archive; `None` where it stays as the runtime writes it.
    pub(super) fn redaction(&self) -> Option<Redaction> {
        self.redaction.clone()
    }

    /// The request as it may be shown now that the plan is known.
    pub(super) fn visible(&self) -> &VisibleRequest {
        &self.visible
    }
}

impl Pipeline {
    /// Asks the redactors. If one fails, or the plan cannot be carried out, no checkpoint is taken: an archive that should
    /// have been redacted and was not is worse than none.
    pub(super) async fn plan(
        &self,
        authorized: Authorized,
        notes: &mut Notes,
    ) -> Result<Planned, Error> {
        let span = info_span!("redaction plan");
        async {
            let (compiled, settings) = self.ask_redactors(&authorized, notes).await?;
            let plan = compiled.plan().clone();
            let redaction = self.redaction(&authorized, compiled, settings).await?;
            let visible = authorized.resolved().context().visible();
            Ok(Planned {
                authorized,
                plan,
                redaction,
                visible,
            })
        }
        .instrument(span)
        .await
    }

    async fn ask_redactors(
        &self,
        authorized: &Authorized,
        notes: &mut Notes,
    ) -> Result<(Arc<CompiledPlan>, RedactionSettings), Error> {
        let resolved = authorized.resolved();
        let (policies, request) = (authorized.policies(), resolved.request().clone());
        let (compiled, within) = (Arc::clone(&self.compiled), Span::current());
        // Redactors compute, and compiling the patterns of their plan does, too.
        let planning = tokio::task::spawn_blocking(move || {
            within.in_scope(|| {
                let planning = policies.redact(&request);
                let compiled = planning.plan.as_ref().ok().map(|plan| compiled.of(plan));
                (planning, compiled)
            })
        });
        let (planning, compiled) = planning.await.map_err(|_| Error::Internal)?;
        let settings = RedactionSettings {
            opaque: planning.opaque_rule(self.redaction.opaque),
            ..self.redaction.clone()
        };
        let Planning { verdicts, plan, .. } = planning;
        for verdict in &verdicts {
            crate::verdicts::report(&self.metrics, &Span::current(), verdict);
        }
        notes.verdicts.extend(verdicts);
        let plan = plan.map_err(|(policy, fault)| Error::Denied {
            policy,
            denial: fault.denial(),
        })?;
        resolved.context().hidden().add(plan.hide.clone());
        notes.plan = Some(plan);
        let compiled = compiled.ok_or(Error::Internal)?;
        Ok((compiled.map_err(gateway_archive::Error::from)?, settings))
    }

    /// The plan together with the environment's values that it asks for. The archive has the values, too, but after the
    /// memory in which they must be hidden. Texts about the request are masked by both from here on.
    async fn redaction(
        &self,
        authorized: &Authorized,
        compiled: Arc<CompiledPlan>,
        settings: RedactionSettings,
    ) -> Result<Option<Redaction>, Error> {
        let plan = compiled.plan().clone();
        if !plan.changes_the_archive() {
            return Ok(None);
        }
        let (container, mut values) = (&authorized.resolved().request().target, Vec::new());
        if plan.asks_for_environment() {
            let known = self.runtime.environment(container).await?.into_variables();
            values.extend(known.map(|(name, value)| EnvValue {
                name,
                value: value.into_bytes(),
            }));
        }
        let texts = authorized.resolved().context().hidden().texts().clone();
        let learning =
            tokio::task::spawn_blocking(move || (texts.learn(&compiled, &values), values));
        let (learnt, values) = learning.await.map_err(|_| Error::Internal)?;
        learnt.map_err(gateway_archive::Error::from)?;
        Ok(Some(Redaction {
            plan,
            values,
            names: names(container),
            settings,
        }))
    }
}

/// The names of the container and of its pod.
fn names(container: &Container) -> Vec<String> {
    let target = &container.target;
    [target.namespace(), target.pod(), target.container()]
        .map(str::to_owned)
        .into()
}
