use std::sync::Arc;

use gateway_core::{Decision, Request, Verdict};
use gateway_policy::Policies;
use opentelemetry::trace::Status;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::resolve::Resolved;
use super::{Context, Notes};
use crate::Error;

/// A request that at least one policy allows and none denies, and the generation of policies that said so.
pub(super) struct Authorized {
    resolved: Resolved,
    policies: Arc<Policies>,
}

impl Authorized {
    pub(super) fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// The same generation plans the redaction: no request sees two.
    pub(super) fn policies(&self) -> Arc<Policies> {
        Arc::clone(&self.policies)
    }
}

pub(super) async fn authorize(
    cx: &Context,
    resolved: Resolved,
    notes: &mut Notes,
) -> Result<Authorized, Error> {
    let policies = cx.policies.now();
    decide(
        cx,
        Arc::clone(&policies),
        resolved.request().clone(),
        &mut notes.verdicts,
    )
    .await?;
    Ok(Authorized { resolved, policies })
}

/// Asks the policies; what each said goes to `verdicts`, whatever comes of it.
pub(crate) async fn decide(
    cx: &Context,
    policies: Arc<Policies>,
    request: Request,
    verdicts: &mut Vec<Verdict>,
) -> Result<(), Error> {
    let span = info_span!("policy");
    let within = span.clone();
    // A policy computes; whoever answers other requests meanwhile must not wait for it.
    let asked =
        tokio::task::spawn_blocking(move || within.in_scope(|| policies.authorize(&request))).await;
    *verdicts = asked.map_err(|_| Error::Internal)?;
    for verdict in verdicts.iter() {
        tell(cx, &span, verdict);
    }
    let decision = gateway_policy::decide(verdicts);
    decision.map_err(|(policy, denial)| Error::Denied { policy, denial })
}

/// What one policy said, in the trace and the metrics.
pub(super) fn tell(cx: &Context, span: &Span, verdict: &Verdict) {
    let (word, fault) = match &verdict.decision {
        Decision::Allow => ("allow", ""),
        Decision::Abstain => ("abstain", ""),
        Decision::Deny(denial) if denial.code.starts_with("policy-") => {
            ("fault", denial.code.as_str())
        }
        Decision::Deny(_) => ("deny", ""),
    };
    span.set_attribute(
        format!("checkpoint_gateway.policy.{}", verdict.policy),
        word,
    );
    span.set_attribute(
        "checkpoint_gateway.policy.generation",
        i64::try_from(verdict.generation).unwrap_or(i64::MAX),
    );
    if !fault.is_empty() {
        span.set_status(Status::error(fault.to_owned()));
    }
    cx.metrics
        .verdict(&verdict.policy, word, fault, verdict.microseconds);
}
