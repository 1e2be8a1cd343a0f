//! Writes records to the audit log, and counts and logs those that are lost.

use std::sync::Arc;

use gateway_audit::{Intent, Log};
use gateway_core::{Event, Outcome, Record};
use jiff::Timestamp;
use tracing::{Instrument, error, info_span};

use crate::Error;
use crate::error_chain::cause;
use crate::record_size::{fitted, json_length};
use crate::request_ids::RequestIds;
use crate::telemetry::Metrics;

/// Writes records to the audit log. Clones share the log.
#[derive(Clone)]
pub(crate) struct AuditWriter {
    log: Log,
    metrics: Arc<Metrics>,
}

impl AuditWriter {
    pub(crate) fn new(log: Log, metrics: Arc<Metrics>) -> Self {
        Self { log, metrics }
    }

    /// Writes an event, durably.
    ///
    /// # Errors
    /// The record is lost. That is counted and logged here; the event itself is not undone.
    pub(crate) async fn write(
        &self,
        ids: RequestIds,
        event: Event,
    ) -> Result<(), gateway_audit::Error> {
        let name = event.as_str();
        let written = self.log.write(record(ids, event)).await;
        written.inspect_err(|lost| {
            self.metrics.audit_failures.inc();
            error!(
                event = name,
                cause = cause(lost),
                "could not write a record to the audit log"
            );
        })
    }

    /// Writes how a request ended, durably, without its largest parts where it would be too long.
    ///
    /// # Errors
    /// As [`AuditWriter::write`].
    pub(crate) async fn write_outcome(
        &self,
        ids: RequestIds,
        outcome: Outcome,
    ) -> Result<(), gateway_audit::Error> {
        let span = info_span!("audit", checkpoint_gateway.audit.event = "outcome");
        let event = Event::Outcome(Box::new(fitted(outcome)));
        self.write(ids, event).instrument(span).await
    }

    /// Writes an intent, durably, before it is carried out.
    ///
    /// # Errors
    /// After any error the intent must not be carried out.
    pub(crate) async fn write_intent(
        &self,
        ids: RequestIds,
        intent: Event,
    ) -> Result<Intent, Error> {
        let record = record(ids, intent);
        if json_length(&record) > Record::LONGEST {
            return Err(Error::Unrecordable);
        }
        let span = info_span!("audit", checkpoint_gateway.audit.event = "intent");
        let written = self.log.write_intent(record).instrument(span).await;
        Ok(written.inspect_err(|_| {
            self.metrics.audit_failures.inc();
        })?)
    }
}

fn record(ids: RequestIds, event: Event) -> Record {
    Record {
        schema: Record::SCHEMA,
        at: Timestamp::now(),
        request_id: ids.request_id,
        trace_id: ids.trace_id,
        event,
    }
}
