//! The line from request to archive. Every stage proves something and hands the proof to the next, and a stage cannot be
//! skipped, because the next one takes its proof. The proofs' fields are private to the file that makes them.

mod authorize;
mod capture;
mod plan;
mod resolve;

pub(crate) use authorize::decide;

use std::sync::Arc;

use gateway_archive::Store;
use gateway_audit::Log;
use gateway_core::{Checkpoint, CheckpointId, Plan, Request, Target, Verdict};
use gateway_cri::Runtime;
use gateway_policy::Evaluation;
use gateway_redact::RedactionSettings;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use plan::Planned;
use resolve::Resolved;

use crate::Error;
use crate::audit_records::Subject;
use crate::authn::Caller;
use crate::ids::CheckpointIds;
use crate::policies::InForce;
use crate::telemetry::Metrics;

/// What the line works with.
#[derive(Clone)]
pub(crate) struct Context {
    /// Where containers run.
    pub(crate) runtime: Runtime,
    /// Who may do what.
    pub(crate) policies: Arc<InForce>,
    /// Where checkpoints go.
    pub(crate) store: Store,
    /// What they are called.
    pub(crate) ids: Arc<CheckpointIds>,
    /// How archives are redacted.
    pub(crate) redaction: RedactionSettings,
    /// What is written down.
    pub(crate) audit: Log,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// Cancelled when there is no more time for what runs.
    pub(crate) cut: CancellationToken,
}

/// A checkpoint that a proven caller asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) checkpoint_id: CheckpointId,
    /// What every record of it tells.
    pub(crate) subject: Subject,
    pub(crate) caller: Caller,
    pub(crate) target: Target,
    pub(crate) timeout_seconds: Option<u32>,
    /// Told once nothing but the runtime can refuse any more, for a caller who does not wait for the end.
    pub(crate) accepted: Option<Arc<Notify>>,
    pub(crate) received_at: jiff::Timestamp,
}

/// What is to be remembered of a request however it ends.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) verdicts: Vec<Verdict>,
    /// What the policies were asked.
    pub(crate) request: Option<Request>,
    /// What they want hidden.
    pub(crate) plan: Option<Plan>,
    /// Whether the intent tells the request already.
    pub(crate) intended: bool,
}

impl Notes {
    /// Shows what was decided to the policies that are only tried out.
    fn show(&self, cx: &Context, subject: &Subject) {
        let plan = self.plan.as_ref().map(gateway_policy::record);
        let evaluation = Evaluation {
            verdicts: self.verdicts.clone(),
            plan: plan.unwrap_or_default(),
        };
        // One that was permitted and has no plan broke off before all was decided.
        if let Some(request) = self
            .request
            .as_ref()
            .filter(|_| self.plan.is_some() || !evaluation.allows())
        {
            cx.policies.shadow().offer(subject, request, evaluation);
        }
    }
}

async fn decided(cx: &Context, resolved: Resolved, notes: &mut Notes) -> Result<Planned, Error> {
    let authorized = authorize::authorize(cx, resolved, notes).await?;
    plan::plan(cx, authorized, notes).await
}

pub(crate) async fn run(
    cx: &Context,
    wanted: Wanted,
    notes: &mut Notes,
) -> Result<Checkpoint, Error> {
    let accepted = wanted.accepted.clone();
    let resolved = resolve::resolve(cx, wanted).await?;
    notes.request = Some(resolved.request().clone());
    let subject = resolved.subject().clone();
    let decided = decided(cx, resolved, notes).await;
    notes.show(cx, &subject);
    let planned = decided?;
    let permit = cx.runtime.permit(planned.container()).await?;
    let intent = capture::write_intent(cx, &planned, notes).await?; // durable before anything is removed or the runtime is touched
    let reservation = capture::reserve(cx, &planned).await?;
    if let Some(accepted) = accepted {
        accepted.notify_one();
    }
    capture::capture(cx, planned, &permit, reservation, intent).await
}
