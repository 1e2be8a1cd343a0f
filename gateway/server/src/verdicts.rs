//! Asks the authorizers about a request, and reports their verdicts to the trace and the metrics.

use std::sync::Arc;

use gateway_core::{Decision, Request, Verdict};
use gateway_policy::Policies;
use opentelemetry::trace::Status;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::Error;
use crate::telemetry::Metrics;

/// Asks `policies` about `request`. Their verdicts go to `verdicts`, whether they allow it or not.
///
/// # Errors
/// [`Error::Denied`] where one denies it, or none allows it.
pub(crate) async fn authorize(
    policies: Arc<Policies>,
    request: Request,
    metrics: &Metrics,
    verdicts: &mut Vec<Verdict>,
) -> Result<(), Error> {
    let span = info_span!("policy");
    let within = span.clone();
    // Policies compute, so they run beside the threads that serve other requests.
    let asked =
        tokio::task::spawn_blocking(move || within.in_scope(|| policies.authorize(&request))).await;
    *verdicts = asked.map_err(|_| Error::Internal)?;
    for verdict in verdicts.iter() {
        report(metrics, &span, verdict);
    }
    let decision = gateway_policy::decide(verdicts);
    decision.map_err(|(policy, denial)| Error::Denied { policy, denial })
}

/// Reports one policy's verdict to the trace and the metrics.
pub(crate) fn report(metrics: &Metrics, span: &Span, verdict: &Verdict) {
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
    metrics.verdict(&verdict.policy, word, fault, verdict.microseconds);
}
