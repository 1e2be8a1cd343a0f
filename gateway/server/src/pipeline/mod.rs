//! The pipeline from a request to a stored checkpoint. Every stage returns a proof, which the next one takes as its argument,
//! so no stage can be skipped. The fields of a proof are private to the file that makes it.

mod authorize;
mod capture;
mod compiled_plans;
mod notes;
mod plan;
mod prepare;
mod request;
mod resolve;

use std::sync::Arc;

use gateway_archive::Store;
use gateway_core::Checkpoint;
use gateway_cri::Runtime;
use gateway_redact::RedactionSettings;

use compiled_plans::CompiledPlans;
use plan::Planned;
use resolve::Resolved;

use crate::Error;
use crate::audit_writer::AuditWriter;
use crate::config::LastApplied;
use crate::policies::ActivePolicies;
use crate::removals::RemovalRecords;
use crate::telemetry::Metrics;

pub(crate) use notes::Notes;
pub(crate) use request::CheckpointRequest;

/// Takes checkpoints.
#[derive(Clone)]
pub(crate) struct Pipeline {
    runtime: Runtime,
    policies: Arc<ActivePolicies>,
    store: Store,
    redaction: RedactionSettings,
    compiled: Arc<CompiledPlans>,
    last_applied: LastApplied,
    audit: AuditWriter,
    removals: RemovalRecords,
    metrics: Arc<Metrics>,
}

impl Pipeline {
    pub(crate) fn new(
        runtime: Runtime,
        policies: Arc<ActivePolicies>,
        store: Store,
        redaction: RedactionSettings,
        last_applied: LastApplied,
        audit: AuditWriter,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            runtime,
            policies,
            store,
            compiled: Arc::new(CompiledPlans::new(redaction.clone())),
            redaction,
            last_applied,
            removals: RemovalRecords::new(audit.clone(), Arc::clone(&metrics)),
            audit,
            metrics,
        }
    }

    /// Takes one checkpoint. `notes` collect what the audit log needs, however it ends.
    pub(crate) async fn run(
        &self,
        wanted: CheckpointRequest,
        notes: &mut Notes,
    ) -> Result<Checkpoint, Error> {
        let accepted = wanted.accepted.clone();
        let resolved = self.resolve(wanted).await?;
        let context = resolved.context().clone();
        notes.request = Some(resolved.request().clone());
        let planned = self.decide(resolved, notes).await;
        if let Some((request, evaluation)) = notes.evaluation() {
            let shadow = self.policies.shadow();
            shadow.offer(context.ids(), context.hidden(), request, evaluation);
        }
        let ready = self.prepare(planned?, notes).await?;
        if let Some(accepted) = accepted {
            accepted.notify_one();
        }
        self.capture(ready).await
    }

    async fn decide(&self, resolved: Resolved, notes: &mut Notes) -> Result<Planned, Error> {
        let authorized = self.authorize(resolved, notes).await?;
        self.plan(authorized, notes).await
    }
}
