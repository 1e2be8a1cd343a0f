//! The stage that asks the redactors what must be hidden in the checkpoint.

use gateway_core::{Container, OpaqueRule, Plan};
use gateway_policy::Planning;
use gateway_redact::{EnvValue, Redaction, RedactionSettings, check_plan};
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
            let (plan, opaque) = self.ask_redactors(&authorized, notes).await?;
            let container = &authorized.resolved().request().target;
            let redaction = self.redaction(container, &plan, opaque).await?;
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
    ) -> Result<(Plan, OpaqueRule), Error> {
        let resolved = authorized.resolved();
        let (policies, request) = (authorized.policies(), resolved.request().clone());
        let (settings, within) = (self.redaction.clone(), Span::current());
        // Redactors compute, and compiling the patterns of their plan does, too.
        let planning = tokio::task::spawn_blocking(move || {
            within.in_scope(|| {
                let planning = policies.redact(&request);
                let checked = match &planning.plan {
                    Ok(plan) => check_plan(plan, &settings),
                    Err(_) => Ok(()),
                };
                (planning, checked)
            })
        });
        let (planning, checked) = planning.await.map_err(|_| Error::Internal)?;
        let opaque = planning.opaque_rule(self.redaction.opaque);
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
        notes.plan = Some(plan.clone());
        checked.map_err(gateway_archive::Error::from)?;
        Ok((plan, opaque))
    }

    /// The plan together with the environment's values that it asks for. The archive has the values, too, but after the
    /// memory in which they must be hidden.
    async fn redaction(
        &self,
        container: &Container,
        plan: &Plan,
        opaque: OpaqueRule,
    ) -> Result<Option<Redaction>, Error> {
        if !plan.changes_the_archive() {
            return Ok(None);
        }
        let mut values = Vec::new();
        if plan.asks_for_environment() {
            let known = self.runtime.environment(container).await?.into_variables();
            values.extend(known.map(|(name, value)| EnvValue {
                name,
                value: value.into_bytes(),
            }));
        }
        Ok(Some(Redaction {
            plan: plan.clone(),
            values,
            settings: RedactionSettings {
                opaque,
                ..self.redaction.clone()
            },
        }))
    }
}
