//! The disk space and quota that are reserved for one expected checkpoint.

use gateway_core::Checkpoint;

use crate::quota_reservation::QuotaReservation;
use crate::space::SpaceReservation;

/// Disk space and quota for one expected checkpoint. Dropped, both are free again.
#[derive(Debug)]
pub struct Reservation {
    space: SpaceReservation,
    quota: QuotaReservation,
    removed: Vec<Checkpoint>,
}

impl Reservation {
    pub(crate) fn new(
        space: SpaceReservation,
        quota: QuotaReservation,
        removed: Vec<Checkpoint>,
    ) -> Self {
        Self {
            space,
            quota,
            removed,
        }
    }

    /// The checkpoints that were removed for it ([`crate::WhenFull::DeleteOldest`]).
    pub fn removed(&self) -> &[Checkpoint] {
        &self.removed
    }

    pub(crate) fn into_parts(self) -> (SpaceReservation, QuotaReservation) {
        (self.space, self.quota)
    }
}
