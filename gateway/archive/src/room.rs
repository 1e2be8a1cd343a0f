use std::mem;
use std::sync::Arc;

use gateway_core::{Checkpoint, CheckpointId, Target};
use jiff::{SignedDuration, Timestamp};

use crate::catalog::Catalog;
use crate::index::{Entry, Index};
use crate::quota::{Limit, Quota, Scope, Usage, WhenFull};
use crate::space::Space;
use crate::{Error, Reservation};

/// What one checkpoint that is still coming uses of every quota. Dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Promise {
    catalog: Arc<Catalog>,
    target: Target,
    usage: Usage,
}

impl Promise {
    /// Counts from now on; `index` is the catalog's.
    fn make(catalog: &Arc<Catalog>, index: &mut Index, target: &Target, usage: Usage) -> Self {
        index.promise(target, usage);
        Self {
            catalog: Arc::clone(catalog),
            target: target.clone(),
            usage,
        }
    }

    /// The checkpoint is there: it counts in the promise's stead, and never do both.
    pub(crate) fn keep(mut self, entry: Entry) {
        let mut index = self.catalog.index();
        index.take_back(&self.target, mem::take(&mut self.usage));
        index.insert(entry);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if self.usage != Usage::default() {
            self.catalog.index().take_back(&self.target, self.usage);
        }
    }
}

impl Catalog {
    /// Room for a checkpoint of `bytes` bytes in every quota and on the disk.
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
        // First the quota, then the disk: a refusal by either leaves no promise of the other.
        if let Some(promise) = self.promise(quota, target, usage) {
            return Ok(space.reserve(bytes)?.with(promise));
        }
        self.make_room(quota, space, target, bytes, usage)
    }

    /// What became too old goes, but for what is held. What fails is tried again by the next call.
    pub(crate) fn retain(&self, quota: &Quota, now: Timestamp) -> Result<Vec<Checkpoint>, Error> {
        let mut removed = mem::take(&mut *self.untold());
        let mut failed = None;
        for id in self.older(quota, now) {
            let _alone = self.alone();
            match self.remove(id) {
                Ok(gone) => removed.extend(gone),
                // Pinned in the meantime.
                Err(Error::Held { .. }) => {}
                Err(error) => failed = Some(error),
            }
        }
        failed
            .filter(|_| removed.is_empty())
            .map_or(Ok(removed), Err)
    }

    fn promise(self: &Arc<Self>, quota: &Quota, target: &Target, usage: Usage) -> Option<Promise> {
        let mut index = self.index();
        let fits = broken(quota, &index, target, usage).next().is_none();
        fits.then(|| Promise::make(self, &mut index, target, usage))
    }

    fn make_room(
        self: &Arc<Self>,
        quota: &Quota,
        space: &Arc<Space>,
        target: &Target,
        bytes: u64,
        usage: Usage,
    ) -> Result<Reservation, Error> {
        let _alone = self.alone();
        self.look_again(quota, target, usage)?;
        let (promise, victims) = self.choose(quota, target, usage)?;
        let freed = victims
            .iter()
            .fold(0u64, |freed, victim| freed.saturating_add(victim.bytes));
        // Nothing goes for a checkpoint that the disk has no room for all the same.
        let reservation = space.reserve_against(bytes, freed)?.with(promise);
        let mut removed = mem::take(&mut *self.untold());
        for victim in victims {
            match self.remove(victim.id) {
                Ok(gone) => removed.extend(gone),
                Err(error) => {
                    self.untold().extend(removed);
                    return Err(error);
                }
            }
        }
        Ok(reservation.having_removed(removed))
    }

    /// Forgets what is gone in the widest full scope: an operator may have made room by hand.
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

    /// What must go for the new checkpoint, which is promised its room.
    fn choose(
        self: &Arc<Self>,
        quota: &Quota,
        target: &Target,
        usage: Usage,
    ) -> Result<(Promise, Vec<Entry>), Error> {
        loop {
            let (promise, victims) = {
                let mut index = self.index();
                let victims = victims(quota, &index, target, usage)?;
                (Promise::make(self, &mut index, target, usage), victims)
            };
            // A hold put there by hand is learnt of here, and then another must go.
            let held = victims
                .iter()
                .map(|victim| self.is_held(victim.id))
                .collect::<Result<Vec<_>, _>>()?;
            if !held.contains(&true) {
                return Ok((promise, victims));
            }
        }
    }

    fn older(&self, quota: &Quota, now: Timestamp) -> Vec<CheckpointId> {
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

/// The limits that `usage` more would break, from the narrowest scope to the widest.
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

/// The oldest without a hold that must go, no more than it takes; an error where that is not wanted or not enough. From
/// the narrowest scope to the widest: what goes in a narrow one makes room in the wider ones too.
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
