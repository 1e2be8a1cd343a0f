use gateway_core::{Container, Plan};
use gateway_redact::{EnvValue, Redaction, check_plan};
use tracing::{Instrument, info_span};

use super::authorize::{Authorized, tell};
use super::resolve::Resolved;
use super::{Context, Notes};
use crate::Error;

/// A permitted request together with what must stay hidden in its checkpoint.
pub(super) struct Planned {
    authorized: Authorized,
    plan: Plan,
    redaction: Option<Redaction>,
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

    /// What is to be done to the archive; `None` where it stays as the runtime writes it.
    pub(super) fn redaction(&self) -> Option<Redaction> {
        self.redaction.clone()
    }
}

/// Asks the redactors. One that fails means that nothing is taken, and so does a plan that cannot be carried out: an archive
/// that should have been redacted and was not is worse than none.
pub(super) async fn plan(
    cx: &Context,
    authorized: Authorized,
    notes: &mut Notes,
) -> Result<Planned, Error> {
    let span = info_span!("redaction plan");
    async {
        let plan = ask(cx, &authorized, notes).await?;
        let redaction = prepare(cx, &authorized.resolved().request().target, &plan).await?;
        Ok(Planned {
            authorized,
            plan,
            redaction,
        })
    }
    .instrument(span)
    .await
}

async fn ask(cx: &Context, authorized: &Authorized, notes: &mut Notes) -> Result<Plan, Error> {
    let (policies, request) = (
        authorized.policies(),
        authorized.resolved().request().clone(),
    );
    let (settings, within) = (cx.redaction.clone(), tracing::Span::current());
    // Asking computes, and so does compiling what the plan looks for.
    let planning = tokio::task::spawn_blocking(move || {
        within.in_scope(|| {
            let planning = policies.redact(&request);
            let checked = planning
                .plan
                .as_ref()
                .map_or(Ok(()), |plan| check_plan(plan, &settings));
            (planning, checked)
        })
    });
    let (planning, checked) = planning.await.map_err(|_| Error::Internal)?;
    for verdict in &planning.verdicts {
        tell(cx, &tracing::Span::current(), verdict);
    }
    notes.verdicts.extend(planning.verdicts);
    let plan = planning.plan.map_err(|(policy, fault)| Error::Denied {
        policy,
        denial: fault.denial(),
    })?;
    authorized
        .resolved()
        .subject()
        .hidden
        .add(plan.hide.clone());
    notes.plan = Some(plan.clone());
    checked.map_err(gateway_archive::Error::from)?;
    Ok(plan)
}

/// The values that the plan asks for are in the archive, too, but there they come after the memory that must not show them.
async fn prepare(
    cx: &Context,
    container: &Container,
    plan: &Plan,
) -> Result<Option<Redaction>, Error> {
    if !plan.changes_the_archive() {
        return Ok(None);
    }
    let mut values = Vec::new();
    if plan.asks_for_environment() {
        let known = cx.runtime.environment(container).await?.into_variables();
        values.extend(known.map(|(name, value)| EnvValue {
            name,
            value: value.into_bytes(),
        }));
    }
    Ok(Some(Redaction {
        plan: plan.clone(),
        values,
        settings: cx.redaction.clone(),
    }))
}
