//! Removes checkpoints that are older than the configured age.

use std::mem;

use gateway_core::{Checkpoint, CheckpointId};
use jiff::{SignedDuration, Timestamp};

use crate::Error;
use crate::catalog::Catalog;
use crate::quota::Quota;

impl Catalog {
    /// Removes expired checkpoints without a hold. The next call tries again where one could not be removed.
    pub(crate) fn retain(&self, quota: &Quota, now: Timestamp) -> Result<Vec<Checkpoint>, Error> {
        let mut removed = mem::take(&mut *self.unreported());
        let mut failed = None;
        for id in self.expired(quota, now) {
            let _changes = self.lock_changes();
            match self.remove(id) {
                Ok(gone) => removed.extend(gone),
                // Somebody has put a hold on it meanwhile.
                Err(Error::Held { .. }) => {}
                Err(error) => failed = Some(error),
            }
        }
        failed
            .filter(|_| removed.is_empty())
            .map_or(Ok(removed), Err)
    }

    fn expired(&self, quota: &Quota, now: Timestamp) -> Vec<CheckpointId> {
        let age = quota
            .max_age
            .and_then(|age| SignedDuration::try_from(age).ok());
        let Some(oldest) = age.and_then(|age| now.checked_sub(age).ok()) else {
            return Vec::new();
        };
        let index = self.index();
        let old = index
            .all()
            .filter(|entry| entry.hold.is_none() && entry.created_at < oldest);
        old.map(|entry| entry.id).collect()
    }
}
