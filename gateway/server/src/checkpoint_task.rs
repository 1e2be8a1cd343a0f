//! Runs checkpoints in tasks of their own, which may outlive the requests that began them.

use std::num::NonZeroU32;

use gateway_core::{Checkpoint, CheckpointId, Outcome};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, info};

use crate::audit_writer::AuditWriter;
use crate::config::seconds;
use crate::masked_request::MaskedFields;
use crate::pipeline::{CheckpointRequest, Notes, Pipeline};
use crate::request_context::RequestContext;
use crate::request_slots::RequestSlot;
use crate::visible_request::VisibleRequest;
use crate::{Error, audit_records, span};

/// The checkpoints that are being taken.
pub(crate) struct CheckpointTasks {
    pipeline: Pipeline,
    audit: AuditWriter,
    tasks: TaskTracker,
    /// Cancelled when the gateway cannot wait for running checkpoints any longer.
    abort: CancellationToken,
}

/// The result that a waiting caller gets.
pub(crate) enum Progress {
    /// The checkpoint is stored.
    Stored(Box<Checkpoint>),
    /// All checks have passed, and the caller does not wait for the end.
    Accepted(CheckpointId),
}

impl CheckpointTasks {
    pub(crate) fn new(pipeline: Pipeline, audit: AuditWriter, abort: CancellationToken) -> Self {
        Self {
            pipeline,
            audit,
            tasks: TaskTracker::new(),
            abort,
        }
    }

    /// The number of checkpoints that are being taken.
    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Waits for all of them. None may be started any more.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Takes a checkpoint, and waits for it for at most `patience`. A caller who goes away, or has waited long enough, stops
    /// the waiting only.
    ///
    /// # Errors
    /// As the pipeline, and [`Error::WaitOver`].
    pub(crate) async fn run(
        &self,
        request: CheckpointRequest,
        slot: RequestSlot,
        patience: NonZeroU32,
    ) -> Result<Progress, Error> {
        let id = request.checkpoint_id;
        let accepted = request.accepted.clone();
        let task = self.spawn(request, slot);
        let accepted = async {
            match accepted {
                Some(accepted) => accepted.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            done = tokio::time::timeout(seconds(patience), task) => match done {
                Ok(done) => {
                    let stored = done.unwrap_or(Err(Error::Internal))?;
                    Ok(Progress::Stored(Box::new(stored)))
                }
                Err(_) => Err(Error::WaitOver { seconds: patience, id }),
            },
            () = accepted => Ok(Progress::Accepted(id)),
        }
    }

    fn spawn(
        &self,
        request: CheckpointRequest,
        slot: RequestSlot,
    ) -> JoinHandle<Result<Checkpoint, Error>> {
        let span = span::of_checkpoint_task(&request);
        let recorded = Recorded {
            pipeline: self.pipeline.clone(),
            audit: self.audit.clone(),
            abort: self.abort.clone(),
            context: request.context.clone(),
        };
        let work = async move {
            let _slot = slot;
            recorded.run(request).await
        };
        self.tasks.spawn(work.instrument(span))
    }
}

/// One run of the pipeline, whose outcome is written to the audit log however it ends.
struct Recorded {
    pipeline: Pipeline,
    audit: AuditWriter,
    abort: CancellationToken,
    context: RequestContext,
}

impl Recorded {
    async fn run(self, request: CheckpointRequest) -> Result<Checkpoint, Error> {
        self.context.set_outcome_recorded();
        let (result, notes) = self.run_pipeline(request).await;
        let visible = self.context.visible();
        trace_caller(&visible, &notes);
        let outcome = self.outcome(&visible, &result, &notes);
        // A lost record is logged and counted there; the checkpoint exists, and its caller gets it.
        let _ = self.audit.write_outcome(self.context.ids(), outcome).await;
        if let Ok(checkpoint) = &result {
            info!(checkpoint_id = %checkpoint.id, bytes = checkpoint.bytes, sha256 = checkpoint.sha256,
                findings = checkpoint.findings.len(), "stored");
        }
        span::fail(&Span::current(), &result);
        result
    }

    /// A panic in the pipeline ends here, as an error like any other, and so does a gateway that stops too early.
    async fn run_pipeline(&self, request: CheckpointRequest) -> (Result<Checkpoint, Error>, Notes) {
        let pipeline = self.pipeline.clone();
        let run = async move {
            let mut notes = Notes::default();
            let result = pipeline.run(request, &mut notes).await;
            (result, notes)
        };
        tokio::select! {
            ended = TaskTracker::new().spawn(run.in_current_span()) => {
                ended.unwrap_or_else(|_| (Err(Error::Internal), Notes::default()))
            }
            () = self.abort.cancelled() => (Err(Error::Aborted), Notes::default()),
        }
    }

    fn outcome(
        &self,
        visible: &VisibleRequest,
        result: &Result<Checkpoint, Error>,
        notes: &Notes,
    ) -> Outcome {
        let outcome = match result {
            Ok(checkpoint) => Outcome {
                status: 200,
                checkpoint_id: Some(checkpoint.id),
                sha256: Some(checkpoint.sha256.clone()),
                bytes: Some(checkpoint.bytes),
                redaction: checkpoint.redaction.clone(),
                findings: checkpoint.findings.clone(),
                ..audit_records::outcome(&self.context, visible)
            },
            Err(error) => audit_records::failed(&self.context, visible, error),
        };
        let mut masked = MaskedFields::default();
        let verdicts = visible.verdicts(&notes.verdicts, &mut masked);
        let request = notes.request.as_ref();
        let request = request.map(|request| visible.record(request, &mut masked));
        let intent = notes.intent.as_ref();
        Outcome {
            verdicts,
            plan: notes.plan_record(),
            masked: masked.names(),
            told_before: intent.map_or_else(Vec::new, |before| masked.more_than(before)),
            request: request.filter(|_| intent.is_none()),
            ..outcome
        }
    }
}

fn trace_caller(visible: &VisibleRequest, notes: &Notes) {
    let container = notes.request.as_ref().map(|request| &request.target);
    let image = container.and_then(|container| visible.image(container));
    span::set_user_and_image(&Span::current(), visible.user.as_deref(), image.as_deref());
}
