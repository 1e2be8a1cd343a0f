//! Records the outcomes of requests that no other part of the gateway records.

use std::sync::Arc;
use std::time::Instant;

use gateway_core::Outcome;
use http::StatusCode;

use crate::audit_writer::AuditWriter;
use crate::config::Audit;
use crate::request_context::RequestContext;
use crate::telemetry::Metrics;
use crate::token_bucket::TokenBucket;
use crate::{Error, audit_records};

/// Writes outcomes that are not on record yet.
pub(super) struct OutcomeRecorder {
    audit: AuditWriter,
    metrics: Arc<Metrics>,
    /// Limits the records of unauthenticated requests: they could fill the disk.
    unauthenticated: TokenBucket,
}

impl OutcomeRecorder {
    pub(super) fn new(audit: AuditWriter, metrics: Arc<Metrics>, config: &Audit) -> Self {
        let (per_second, burst) = (config.unproven_per_second, config.unproven_burst);
        Self {
            audit,
            metrics,
            unauthenticated: TokenBucket::new(per_second, burst, Instant::now()),
        }
    }

    /// Writes the outcome of a request, unless it is on record already or the rate limit leaves it out.
    pub(super) async fn record(&self, context: &RequestContext, ended: Result<StatusCode, &Error>) {
        if context.is_outcome_recorded() {
            return;
        }
        let left_out = if context.identity().is_some() {
            Some(0)
        } else {
            self.unauthenticated.take(Instant::now())
        };
        let Some(suppressed) = left_out else {
            self.metrics.audit_suppressed.inc();
            return;
        };
        let visible = context.visible();
        let outcome = match ended {
            Ok(status) => Outcome {
                status: status.as_u16(),
                ..audit_records::outcome(context, &visible)
            },
            Err(error) => audit_records::failed(context, &visible, error),
        };
        let outcome = Outcome {
            suppressed,
            ..outcome
        };
        // A lost record is logged and counted there; nothing was done that the log would have to show.
        let _ = self.audit.write_outcome(context.ids(), outcome).await;
    }
}
