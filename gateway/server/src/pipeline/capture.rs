//! The stage that has the runtime write the checkpoint, and stores it.

use std::time::Instant;

use gateway_archive::{CheckpointInfo, Intake, Reservation};
use gateway_core::{Checkpoint, Finding, RedactionSummary, Transport};
use gateway_cri::{CheckpointPermit, FailureKind};
use jiff::Timestamp;
use opentelemetry::{StringValue, Value};
use tracing::{Instrument, Span, info_span, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::Pipeline;
use super::plan::Planned;
use super::prepare::{CaptureParts, ReadyCapture};
use crate::telemetry::Metrics;
use crate::{Error, step_spans};

/// The most findings that a trace lists.
const MAX_TRACED: usize = 32;

impl Pipeline {
    /// Has the runtime write the checkpoint, and stores it. A runtime that refuses a FIFO gets a private file instead.
    pub(super) async fn capture(&self, ready: ReadyCapture) -> Result<Checkpoint, Error> {
        let CaptureParts {
            planned,
            permit,
            reservation,
        } = ready.into_parts();
        let _running = Running::count(&self.metrics);
        let started = Instant::now();
        let transport = self.store.transport(planned.resolved().runtime());
        let attempt = Attempt {
            pipeline: self,
            planned: &planned,
            permit: &permit,
            info: checkpoint_info(&planned),
        };
        let result = match attempt.run(reservation, transport).await {
            Err(error) if transport != Transport::File && refuses_fifo(&error) => {
                warn!(
                    "the container runtime refuses a FIFO; using private temporary files from now on"
                );
                self.store.remember_refusal();
                let reservation = self.reserve(&planned).await?;
                attempt.run(reservation, Transport::File).await
            }
            result => result,
        };
        result.inspect(|checkpoint| {
            self.metrics.checkpoint(checkpoint.bytes, started.elapsed());
        })
    }
}

/// One attempt to capture a container.
struct Attempt<'a> {
    pipeline: &'a Pipeline,
    planned: &'a Planned,
    permit: &'a CheckpointPermit,
    info: CheckpointInfo,
}

impl Attempt<'_> {
    async fn run(
        &self,
        reservation: Reservation,
        transport: Transport,
    ) -> Result<Checkpoint, Error> {
        let (store, runtime) = (&self.pipeline.store, &self.pipeline.runtime);
        let intake = store
            .intake(
                reservation,
                self.info.id,
                transport,
                self.planned.redaction(),
            )
            .await?;
        if let Some(learnt) = intake.texts() {
            self.info.texts.join(learnt);
        }
        let written = runtime.checkpoint(self.permit, intake.location());
        let archive = info_span!("archive");
        match written.instrument(info_span!("cri")).await {
            Ok(()) => publish(intake, self.info.clone()).instrument(archive).await,
            Err(error) => {
                intake.discard().instrument(archive).await;
                Err(error.into())
            }
        }
    }
}

async fn publish(intake: Intake, info: CheckpointInfo) -> Result<Checkpoint, Error> {
    let span = Span::current();
    let (steps, texts) = (intake.steps(), info.texts.clone());
    let published = intake.publish(info).await.map_err(Error::from);
    step_spans::trace_steps(&span, steps.take());
    let checkpoint = published.inspect_err(|error| {
        trace_findings(&span, &texts.mask_findings(error.findings()));
    })?;
    trace_findings(&span, &checkpoint.findings);
    span.set_attribute(
        "checkpoint_gateway.archive.transport",
        checkpoint.transport.as_str(),
    );
    span.set_attribute(
        "checkpoint_gateway.archive.bytes",
        i64::try_from(checkpoint.bytes).unwrap_or(i64::MAX),
    );
    span.set_attribute(
        "checkpoint_gateway.archive.sha256",
        checkpoint.sha256.clone(),
    );
    if let Some(summary) = &checkpoint.redaction {
        trace_redaction(&span, summary);
    }
    Ok(checkpoint)
}

/// Adds the codes and places of findings to the trace.
fn trace_findings(span: &Span, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    let listed = findings.iter().take(MAX_TRACED);
    let texts: Vec<StringValue> = listed
        .map(|finding| format!("{} {}", finding.code.as_str(), finding.place).into())
        .collect();
    span.set_attribute(
        "checkpoint_gateway.archive.findings",
        Value::Array(texts.into()),
    );
}

/// Adds the numbers of a redaction to the trace.
fn trace_redaction(span: &Span, summary: &RedactionSummary) {
    let count = |name: &'static str, count: u64| {
        span.set_attribute(name, i64::try_from(count).unwrap_or(i64::MAX));
    };
    let masked = summary.masked();
    count("checkpoint_gateway.redaction.masks", masked.masks);
    count("checkpoint_gateway.redaction.bytes", masked.bytes);
    count(
        "checkpoint_gateway.redaction.dropped",
        summary.dropped.iter().map(|rule| rule.entries).sum(),
    );
    count("checkpoint_gateway.redaction.values", summary.values_hidden);
    count("checkpoint_gateway.redaction.passes", summary.passes.into());
}

fn checkpoint_info(planned: &Planned) -> CheckpointInfo {
    let resolved = planned.resolved();
    let (request, container) = (resolved.request(), planned.container());
    let ids = resolved.context().ids();
    CheckpointInfo {
        id: resolved.checkpoint_id(),
        target: container.target.clone(),
        container_id: container.id.clone(),
        pod_uid: container.pod_uid.clone(),
        image: container.image.clone(),
        container: container.clone(),
        created_by: request.identity.user.clone(),
        reason: request.reason.clone(),
        runtime: resolved.runtime().clone(),
        request_id: ids.request_id,
        trace_id: ids.trace_id,
        hidden: planned.visible().hidden.clone(),
        texts: resolved.context().hidden().texts().clone(),
        created_at: Timestamp::now(),
    }
}

fn refuses_fifo(error: &Error) -> bool {
    matches!(
        error,
        Error::Runtime(gateway_cri::Error::Checkpoint { failure, .. })
            if failure.kind == FailureKind::LocationRefused
    )
}

/// Counted among the running checkpoints until it is dropped.
struct Running<'a>(&'a Metrics);

impl<'a> Running<'a> {
    fn count(metrics: &'a Metrics) -> Self {
        metrics.checkpoints_running.inc();
        Self(metrics)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.checkpoints_running.dec();
    }
}
