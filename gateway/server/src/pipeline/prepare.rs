//! The last stage before the runtime is called: permit, intent on record and reserved disk space, for one request.

use gateway_archive::Reservation;
use gateway_audit::Intent;
use gateway_core::RemovalReason;
use gateway_cri::CheckpointPermit;

use super::plan::Planned;
use super::{Notes, Pipeline};
use crate::masked_request::MaskedFields;
use crate::{Error, audit_records};

/// A capture that may begin: its plan, the permit of its container, its intent on record and its reserved disk space.
/// [`Pipeline::prepare`] makes all of them for one request, and nothing else can make this value.
pub(super) struct ReadyCapture {
    planned: Planned,
    permit: CheckpointPermit,
    reservation: Reservation,
    _intent: Intent,
}

/// The parts of a ready capture.
pub(super) struct CaptureParts {
    pub(super) planned: Planned,
    pub(super) permit: CheckpointPermit,
    pub(super) reservation: Reservation,
}

impl ReadyCapture {
    /// Ends the proof: the capture begins.
    pub(super) fn into_parts(self) -> CaptureParts {
        CaptureParts {
            planned: self.planned,
            permit: self.permit,
            reservation: self.reservation,
        }
    }
}

impl Pipeline {
    pub(super) async fn prepare(
        &self,
        planned: Planned,
        notes: &mut Notes,
    ) -> Result<ReadyCapture, Error> {
        let permit = self.runtime.permit(planned.container()).await?;
        // Durable before anything is removed or the runtime is touched.
        let intent = self.write_intent(&planned, notes).await?;
        let reservation = self.reserve(&planned).await?;
        Ok(ReadyCapture {
            planned,
            permit,
            reservation,
            _intent: intent,
        })
    }

    async fn write_intent(&self, planned: &Planned, notes: &mut Notes) -> Result<Intent, Error> {
        let resolved = planned.resolved();
        let mut masked = MaskedFields::default();
        let event = audit_records::intent(
            resolved.request(),
            planned.visible(),
            &notes.verdicts,
            gateway_policy::record(planned.plan()),
            resolved.checkpoint_id(),
            &mut masked,
        );
        let ids = resolved.context().ids();
        let intent = self.audit.write_intent(ids, event).await?;
        notes.intent = Some(masked);
        Ok(intent)
    }

    /// Reserves disk space for the archive. Checkpoints that a quota removes for it go on record.
    pub(super) async fn reserve(&self, planned: &Planned) -> Result<Reservation, Error> {
        let (store, container) = (self.store.clone(), planned.container());
        let (target, estimate) = (container.target.clone(), container.memory_bytes);
        let reserving = tokio::task::spawn_blocking(move || store.reserve(&target, estimate));
        let reservation = reserving.await.map_err(|_| Error::Internal)??;
        let ids = planned.resolved().context().ids();
        let removed = reservation.removed();
        self.removals
            .record(ids, RemovalReason::Quota, removed)
            .await;
        Ok(reservation)
    }
}
