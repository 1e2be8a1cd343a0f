//! The work of a checkpoint, which may outlive the request that began it.

use std::sync::atomic::Ordering;

use gateway_core::{Action, Checkpoint, HiddenField, Outcome, RequestRecord};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, info};

use crate::audit_records::Subject;
use crate::pipeline::{self, Context, Notes, Wanted};
use crate::{Error, span};

/// The line, and how it ended, in the audit log. A panic in it ends here, as an outcome like any other, and so does a
/// process that has no more time for it.
pub(crate) async fn recorded(cx: Context, wanted: Wanted) -> Result<Checkpoint, Error> {
    let subject = Subject::of_work(&wanted);
    let task = TaskTracker::new();
    let inner = cx.clone();
    let walk = async move {
        let mut notes = Notes::default();
        let result = pipeline::run(&inner, wanted, &mut notes).await;
        (result, notes)
    };
    let (result, notes) = tokio::select! {
        walked = task.spawn(walk.in_current_span()) => walked.unwrap_or_else(|_| (Err(Error::Internal), Notes::default())),
        () = cx.cut.cancelled() => (Err(Error::CutShort), Notes::default()),
    };
    subject.tell(&notes);
    // It is counted and logged where it is lost; the checkpoint is there, and its caller is told so.
    let _ = subject.close(&cx, subject.ended(&result, notes)).await;
    if let Ok(checkpoint) = &result {
        info!(checkpoint_id = %checkpoint.id, bytes = checkpoint.bytes, sha256 = checkpoint.sha256, "stored");
    }
    span::fail(&Span::current(), &result);
    result
}

impl Subject {
    fn of_work(wanted: &Wanted) -> Self {
        // From now on the outcome is written here, whoever waits for it.
        wanted.subject.recorded.store(true, Ordering::Relaxed);
        Self {
            action: Some(Action::Create),
            target: Some(wanted.target.clone()),
            ..wanted.subject.clone()
        }
    }

    fn tell(&self, notes: &Notes) {
        let user = self.identity.as_ref().map(|identity| identity.user.clone());
        let image = notes
            .request
            .as_ref()
            .map(|request| request.target.image.clone());
        let (user, image) = (
            self.hidden.show(&HiddenField::User, user),
            self.hidden.show(&HiddenField::Image, image),
        );
        span::of_subject(&Span::current(), user.flatten(), image.flatten());
    }

    fn ended(&self, result: &Result<Checkpoint, Error>, notes: Notes) -> Outcome {
        let told = match result {
            Ok(checkpoint) => Outcome {
                status: 200,
                checkpoint_id: Some(checkpoint.id),
                sha256: Some(checkpoint.sha256.clone()),
                bytes: Some(checkpoint.bytes),
                redaction: checkpoint.redaction.clone(),
                ..self.outcome()
            },
            Err(error) => self.failed(error),
        };
        let request = notes.request.filter(|_| !notes.intended);
        Outcome {
            verdicts: self.hidden.verdicts(notes.verdicts),
            plan: notes
                .plan
                .as_ref()
                .map(gateway_policy::record)
                .unwrap_or_default(),
            request: request.map(|request| RequestRecord::of(&request, &self.hidden.fields())),
            ..told
        }
    }
}
