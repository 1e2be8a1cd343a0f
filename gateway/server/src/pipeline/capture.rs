use std::time::Instant;

use gateway_archive::{About, Intake, Reservation};
use gateway_audit::Intent;
use gateway_core::{Checkpoint, RedactionSummary, RemovalReason, Transport};
use gateway_cri::{CheckpointPermit, FailureKind};
use jiff::Timestamp;
use tracing::{Instrument, Span, info_span, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::plan::Planned;
use super::{Context, Notes};
use crate::{Error, audit_records, retention};

/// Room for the archive, promised to this request. What had to go for it goes on record.
pub(super) async fn reserve(cx: &Context, planned: &Planned) -> Result<Reservation, Error> {
    let (store, container) = (cx.store.clone(), planned.container());
    let (target, estimate) = (container.target.clone(), container.memory_bytes);
    let reserving = tokio::task::spawn_blocking(move || store.reserve(&target, estimate));
    let reservation = reserving.await.map_err(|_| Error::Internal)??;
    let resolved = planned.resolved();
    let ids = (resolved.request().id, resolved.subject().trace_id);
    retention::record(cx, ids, RemovalReason::Quota, reservation.removed()).await;
    Ok(reservation)
}

/// Writes down what is about to be done, durably.
pub(super) async fn write_intent(
    cx: &Context,
    planned: &Planned,
    notes: &mut Notes,
) -> Result<Intent, Error> {
    let (resolved, subject) = (planned.resolved(), planned.resolved().subject());
    let plan = gateway_policy::record(planned.plan());
    let verdicts = notes.verdicts.clone();
    let event = audit_records::intent(
        resolved.request(),
        &subject.hidden,
        verdicts,
        plan,
        resolved.checkpoint_id(),
    );
    let intent = subject.intend(cx, event).await?;
    notes.intended = true;
    Ok(intent)
}

/// Has the runtime write the checkpoint and takes it in. A runtime that refuses a FIFO gets a private file instead.
pub(super) async fn capture(
    cx: &Context,
    planned: Planned,
    permit: &CheckpointPermit,
    reservation: Reservation,
    intent: Intent,
) -> Result<Checkpoint, Error> {
    debug_assert_eq!(intent.request_id(), planned.resolved().request().id);
    debug_assert_eq!(permit.container_id(), planned.container().id);
    let _running = Running::count(cx);
    let begun = Instant::now();
    let about = about(&planned);
    let transport = cx.store.transport();
    let result = match attempt(cx, &planned, permit, reservation, transport, about.clone()).await {
        Err(error) if transport == Transport::Fifo && refuses_fifo(&error) => {
            warn!("the container runtime takes no FIFO; using private temporary files from now on");
            cx.store.remember_refusal();
            let reservation = reserve(cx, &planned).await?;
            attempt(cx, &planned, permit, reservation, Transport::File, about).await
        }
        result => result,
    };
    result.inspect(|checkpoint| cx.metrics.checkpoint(checkpoint.bytes, begun.elapsed()))
}

async fn attempt(
    cx: &Context,
    planned: &Planned,
    permit: &CheckpointPermit,
    reservation: Reservation,
    transport: Transport,
    about: About,
) -> Result<Checkpoint, Error> {
    let intake = cx
        .store
        .intake(reservation, about.id, transport, planned.redaction())
        .await?;
    let written = cx
        .runtime
        .checkpoint(permit, planned.container(), intake.location());
    match written.instrument(info_span!("cri")).await {
        Ok(()) => {
            publish(intake, about)
                .instrument(info_span!("archive"))
                .await
        }
        Err(error) => {
            intake.discard().instrument(info_span!("archive")).await;
            Err(error.into())
        }
    }
}

async fn publish(intake: Intake, about: About) -> Result<Checkpoint, Error> {
    let checkpoint = intake.publish(about).await?;
    let span = Span::current();
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
        tell(&span, summary);
    }
    Ok(checkpoint)
}

/// What redaction did, in numbers.
fn tell(span: &Span, summary: &RedactionSummary) {
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

fn about(planned: &Planned) -> About {
    let request = planned.resolved().request();
    let container = planned.container();
    About {
        id: planned.resolved().checkpoint_id(),
        target: container.target.clone(),
        container_id: container.id.clone(),
        pod_uid: container.pod_uid.clone(),
        image: container.image.clone(),
        facts: container.clone(),
        created_by: request.identity.user.clone(),
        reason: request.reason.clone(),
        runtime: planned.resolved().runtime().clone(),
        request_id: request.id,
        trace_id: planned.resolved().subject().trace_id,
        hidden: planned.resolved().subject().hidden.fields(),
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

/// Counted among the running checkpoints for as long as it lives.
struct Running<'a>(&'a Context);

impl<'a> Running<'a> {
    fn count(cx: &'a Context) -> Self {
        cx.metrics.checkpoints_running.inc();
        Self(cx)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.metrics.checkpoints_running.dec();
    }
}
