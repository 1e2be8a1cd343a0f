//! Reserves quota and disk space for a new checkpoint, removing old ones where that is configured.

use std::mem;
use std::sync::Arc;

use gateway_core::Target;

use crate::catalog::Catalog;
use crate::entry::Entry;
use crate::index::Index;
use crate::quota::{Limit, Quota, Scope, Usage, WhenFull};
use crate::quota_reservation::QuotaReservation;
use crate::space::Space;
use crate::{Error, Reservation};

impl Catalog {
    /// Reserves `bytes` bytes in every quota and on the disk.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        quota: &Quota,
        space: &Arc<Space>,
        target: &Target,
        bytes: u64,
    ) -> Result<Reservation, Error> {
        // Without an estimate it needs something all the same: a full quota is full.
        let usage = Usage {
            bytes: bytes.max(1),
            count: 1,
        };
        // First the quota, then the disk: a refusal by either leaves no reservation of the other.
        if let Some(reserved) = self.reserve_quota(quota, target, usage) {
            return Ok(Reservation::new(
                space.reserve(bytes)?,
                reserved,
                Vec::new(),
            ));
        }
        self.make_room(quota, space, target, bytes, usage)
    }

    fn reserve_quota(
        self: &Arc<Self>,
        quota: &Quota,
        target: &Target,
        usage: Usage,
    ) -> Option<QuotaReservation> {
        let mut index = self.index();
        let fits = broken(quota, &index, target, usage).next().is_none();
        fits.then(|| QuotaReservation::new(self, &mut index, target, usage))
    }

    fn make_room(
        self: &Arc<Self>,
        quota: &Quota,
        space: &Arc<Space>,
        target: &Target,
        bytes: u64,
        usage: Usage,
    ) -> Result<Reservation, Error> {
        let _changes = self.lock_changes();
        self.look_again(quota, target, usage)?;
        let (reserved, victims) = self.choose(quota, target, usage)?;
        let freed = victims
            .iter()
            .fold(0u64, |freed, victim| freed.saturating_add(victim.bytes));
        // Nothing is removed for a checkpoint that the disk has no space for all the same.
        let space = space.reserve_against(bytes, freed)?;
        let mut removed = mem::take(&mut *self.unreported());
        for victim in victims {
            match self.remove(victim.id) {
                Ok(gone) => removed.extend(gone),
                Err(error) => {
                    self.unreported().extend(removed);
                    return Err(error);
                }
            }
        }
        Ok(Reservation::new(space, reserved, removed))
    }

    /// Forgets checkpoints that are gone in the widest full scope: an operator may have removed some by hand.
    fn look_again(&self, quota: &Quota, target: &Target, usage: Usage) -> Result<(), Error> {
        let widest = broken(quota, &self.index(), target, usage).last();
        let Some((scope, ..)) = widest else {
            return Ok(());
        };
        let entries: Vec<Entry> = self.index().within(scope, target).cloned().collect();
        entries
            .iter()
            .try_for_each(|entry| self.forget_if_gone(entry))
    }

    /// Chooses the checkpoints to remove for the new one, and reserves its quota.
    fn choose(
        self: &Arc<Self>,
        quota: &Quota,
        target: &Target,
        usage: Usage,
    ) -> Result<(QuotaReservation, Vec<Entry>), Error> {
        loop {
            let (reserved, victims) = {
                let mut index = self.index();
                let victims = victims(quota, &index, target, usage)?;
                (
                    QuotaReservation::new(self, &mut index, target, usage),
                    victims,
                )
            };
            // A hold that was put there by hand is noticed here, and then another must be chosen.
            let held = victims
                .iter()
                .map(|victim| self.is_held(victim.id))
                .collect::<Result<Vec<_>, _>>()?;
            if !held.contains(&true) {
                return Ok((reserved, victims));
            }
        }
    }
}

/// The limits that additional `usage` would break, from the narrowest scope to the widest.
fn broken<'a>(
    quota: &Quota,
    index: &'a Index,
    target: &'a Target,
    usage: Usage,
) -> impl Iterator<Item = (Scope, Limit, Usage)> + use<'a> {
    quota
        .limits()
        .into_iter()
        .filter_map(move |(scope, limits)| {
            let used = index.used(scope, target);
            limits
                .broken_by(used.plus(usage))
                .map(|limit| (scope, limit, used))
        })
}

/// The oldest checkpoints without a hold that must be removed, no more than needed; an error where removal is not
/// configured or not enough. From the narrowest scope to the widest: a removal in a narrow one counts in the wider ones too.
fn victims(
    quota: &Quota,
    index: &Index,
    target: &Target,
    usage: Usage,
) -> Result<Vec<Entry>, Error> {
    let mut chosen: Vec<Entry> = Vec::new();
    let mut freed = Usage::default();
    for (scope, limits) in quota.limits() {
        let used = index.used(scope, target);
        let breaks = |freed| limits.broken_by(used.minus(freed).plus(usage));
        let mut oldest = index
            .within(scope, target)
            .filter(|entry| entry.hold.is_none());
        while let Some(limit) = breaks(freed) {
            let next = match quota.when_full {
                WhenFull::Refuse => None,
                WhenFull::DeleteOldest => {
                    oldest.find(|entry| chosen.iter().all(|one| one.id != entry.id))
                }
            };
            let Some(entry) = next else {
                return Err(refusal(scope, limit, used, usage));
            };
            freed = freed.plus(entry.usage());
            chosen.push(entry.clone());
        }
    }
    Ok(chosen)
}

fn refusal(scope: Scope, limit: Limit, used: Usage, usage: Usage) -> Error {
    Error::Quota {
        scope,
        limit,
        used_bytes: used.bytes,
        used_count: used.count,
        needed: usage.bytes,
    }
}
