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
    estimate: u64,
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
            estimate: 0,
        }
    }

    /// The same, for an archive of about that many bytes; 0 if that is not known.
    pub(crate) fn with_estimate(self, estimate: u64) -> Self {
        Self { estimate, ..self }
    }

    /// The archive's expected size in bytes; 0 if it is not known.
    pub(crate) fn estimate(&self) -> u64 {
        self.estimate
    }

    /// The checkpoints that were removed for it ([`crate::WhenFull::DeleteOldest`]).
    pub fn removed(&self) -> &[Checkpoint] {
        &self.removed
    }

    pub(crate) fn into_parts(self) -> (SpaceReservation, QuotaReservation) {
        (self.space, self.quota)
    }
}
