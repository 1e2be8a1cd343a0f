use gateway_core::{Container, Plan};
use tracing::info_span;

use super::authorize::{Authorized, tell};
use super::resolve::Resolved;
use super::{Context, Notes};
use crate::Error;

/// A permitted request together with what must stay hidden in its checkpoint.
pub(super) struct Planned {
    authorized: Authorized,
    plan: Plan,
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
}

/// Asks the redactors. One that fails means that nothing is taken, and so does a plan that nobody could carry out: an
/// archive that should have been redacted and was not is worse than none.
pub(super) async fn plan(cx: &Context, authorized: Authorized, notes: &mut Notes) -> Result<Planned, Error> {
    let (policies, request) = (authorized.policies(), authorized.resolved().request().clone());
    let span = info_span!("redaction plan");
    let within = span.clone();
    let planning = tokio::task::spawn_blocking(move || within.in_scope(|| policies.redact(&request))).await;
    let planning = planning.map_err(|_| Error::Internal)?;
    for verdict in &planning.asked {
        tell(cx, &span, verdict);
    }
    notes.verdicts.extend(planning.asked);
    let plan = planning.plan.map_err(|(policy, fault)| Error::Denied { policy, denial: fault.denial() })?;
    if plan.is_empty() { Ok(Planned { authorized, plan }) } else { Err(Error::NoRedaction) }
}
