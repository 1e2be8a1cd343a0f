//! The right to do one thing with one stored checkpoint. Only this file can make one, and it asks the policies first.

use gateway_core::{
    Action, Checkpoint, CheckpointId, Container, Outcome, PlanRecord, Request, Verdict,
};
use gateway_policy::Evaluation;

use super::{Access, AccessCall};
use crate::masked_request::MaskedFields;
use crate::{Error, audit_records, span, verdicts};

/// A stored checkpoint with which policies allow the caller to do what they ask for. Nothing else opens, shows or changes one.
pub(super) struct AccessPermit {
    call: AccessCall,
    checkpoint: Checkpoint,
    /// The request that policies got.
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
        let mut masked = self.masked();
        let verdicts = visible.verdicts(&self.verdicts, &mut masked);
        let request = visible.record(&self.shown(), &mut masked);
        let outcome = match ended {
            Ok(status) => Outcome {
                status,
                ..audit_records::outcome(self.call.context(), &visible)
            },
            Err(error) => audit_records::failed(self.call.context(), &visible, error),
        };
        Outcome {
            target: Some(self.checkpoint.target.clone()),
            verdicts,
            sha256: Some(self.checkpoint.sha256.clone()),
            request: Some(request),
            masked: masked.names(),
            ..outcome
        }
    }

    /// The request with the container's description as the metadata has it: what only the archive taught is masked there.
    fn shown(&self) -> Request {
        Request {
            target: self.checkpoint.facts.clone(),
            ..self.request.clone()
        }
    }

    /// The fields that the metadata has masked.
    fn masked(&self) -> MaskedFields {
        let mut masked = MaskedFields::default();
        let fields = self.checkpoint.masked.iter().cloned();
        masked.add(fields.filter(|field| field != "reason"));
        masked
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
        let (checkpoint, container) = self.find(&call, id).await?;
        span::set_checkpoint(&checkpoint);
        let context = call.context();
        context.hidden().add_of(&checkpoint);
        let request = call.policy_request(action)(&checkpoint, container);
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

    /// The checkpoint, and its container as policies get it. What its metadata has masked is masked in this call's texts, too.
    async fn find(
        &self,
        call: &AccessCall,
        id: CheckpointId,
    ) -> Result<(Checkpoint, Container), Error> {
        let (store, redaction) = (self.store.clone(), self.redaction.clone());
        let texts = call.context().hidden().texts().clone();
        let finding = tokio::task::spawn_blocking(move || {
            let Some(checkpoint) = store.find(id)? else {
                return Ok(None);
            };
            let Some(container) = store.container(&checkpoint)? else {
                return Ok(None);
            };
            texts.learn_hidden(&container, &checkpoint.facts, &redaction);
            Ok::<_, gateway_archive::Error>(Some((checkpoint, container)))
        });
        let found = finding.await.map_err(|_| Error::Internal)??;
        found.ok_or(Error::NoCheckpoint)
    }

    /// Writes the intent to the audit log, durably.
    ///
    /// # Errors
    /// After any error the intent must not be carried out.
    pub(super) async fn write_intent(&self, permit: &AccessPermit) -> Result<(), Error> {
        let context = permit.call.context();
        let event = audit_records::intent(
            &permit.shown(),
            &context.visible(),
            &permit.verdicts,
            PlanRecord::default(),
            permit.id(),
            &mut permit.masked(),
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
