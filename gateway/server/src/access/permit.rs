//! The right to do one thing with one stored checkpoint. Only this file can make one, and it asks the policies first.

use gateway_core::{Action, Checkpoint, CheckpointId, Outcome, PlanRecord, Request, Verdict};
use gateway_policy::Evaluation;

use super::{Access, AccessCall};
use crate::{Error, audit_records, span, verdicts};

/// A stored checkpoint with which policies allow the caller to do what they ask for. Nothing else opens, shows or changes one.
pub(super) struct AccessPermit {
    call: AccessCall,
    checkpoint: Checkpoint,
    request: Request,
    verdicts: Vec<Verdict>,
}

impl AccessPermit {
    pub(super) fn call(&self) -> &AccessCall {
        &self.call
    }

    pub(super) fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    pub(super) fn id(&self) -> CheckpointId {
        self.checkpoint.id
    }

    /// The action that is allowed.
    pub(super) fn action(&self) -> Action {
        self.request.action
    }

    /// The outcome of the call: a status, or an error.
    pub(super) fn outcome(&self, ended: Result<u16, &Error>) -> Outcome {
        let visible = self.call.context().visible();
        let outcome = match ended {
            Ok(status) => Outcome {
                status,
                ..audit_records::outcome(self.call.context(), &visible)
            },
            Err(error) => audit_records::failed(self.call.context(), &visible, error),
        };
        Outcome {
            target: Some(self.checkpoint.target.clone()),
            verdicts: visible.verdicts(self.verdicts.clone()),
            sha256: Some(self.checkpoint.sha256.clone()),
            request: Some(visible.record(&self.request)),
            ..outcome
        }
    }
}

impl Access {
    /// Finds the checkpoint and asks the policies whether the caller may do this with it. A denial goes on record.
    ///
    /// # Errors
    /// [`Error::NoCheckpoint`], [`Error::Denied`], or those of the store.
    pub(super) async fn permit(
        &self,
        call: AccessCall,
        id: CheckpointId,
        action: Action,
    ) -> Result<AccessPermit, Error> {
        let store = self.store.clone();
        let found = tokio::task::spawn_blocking(move || store.find(id))
            .await
            .map_err(|_| Error::Internal)??;
        let checkpoint = found.ok_or(Error::NoCheckpoint)?;
        span::set_checkpoint(&checkpoint);
        let context = call.context();
        context.hidden().add_of(&checkpoint);
        let request = call.policy_request(action)(&checkpoint);
        let mut verdicts = Vec::new();
        let policies = self.policies.current();
        let decided =
            verdicts::authorize(policies, request.clone(), &self.metrics, &mut verdicts).await;
        let evaluation = Evaluation {
            verdicts: verdicts.clone(),
            plan: PlanRecord::default(),
        };
        let shadow = self.policies.shadow();
        shadow.offer(context.ids(), context.hidden(), &request, evaluation);
        let permit = AccessPermit {
            call,
            checkpoint,
            request,
            verdicts,
        };
        if let Err(denied) = decided {
            // A lost record is logged and counted there; the denial stands.
            let _ = self
                .write_outcome(&permit, permit.outcome(Err(&denied)))
                .await;
            return Err(denied);
        }
        Ok(permit)
    }

    /// Writes the intent to the audit log, durably.
    ///
    /// # Errors
    /// After any error the intent must not be carried out.
    pub(super) async fn write_intent(&self, permit: &AccessPermit) -> Result<(), Error> {
        let context = permit.call.context();
        let event = audit_records::intent(
            &permit.request,
            &context.visible(),
            permit.verdicts.clone(),
            PlanRecord::default(),
            permit.id(),
        );
        let intent = self.audit.write_intent(context.ids(), event).await;
        intent.map(drop)
    }

    /// Writes how the call ended to the audit log, durably.
    ///
    /// # Errors
    /// The record is lost, which is logged and counted already.
    pub(super) async fn write_outcome(
        &self,
        permit: &AccessPermit,
        outcome: Outcome,
    ) -> Result<(), gateway_audit::Error> {
        let context = permit.call.context();
        context.set_outcome_recorded();
        self.audit.write_outcome(context.ids(), outcome).await
    }
}
