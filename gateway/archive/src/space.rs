use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use gateway_core::Checkpoint;

use crate::Error;
use crate::room::Promise;

/// By how much an archive that outgrows its estimate asks for more, in bytes.
const STEP: u64 = 16 << 20;

type Free = Box<dyn Fn() -> Result<u64, Error> + Send + Sync>;

/// The free space of a filesystem and what of it is promised to archives that are still coming.
pub(crate) struct Space {
    free: Free,
    floor: u64,
    promised: Mutex<u64>,
}

/// Space that one archive may fill, and its place in the quotas. The space shrinks as the archive is written, since the filesystem then counts those bytes
/// itself, and what is left goes back when it is dropped.
#[derive(Debug)]
pub struct Reservation {
    space: Arc<Space>,
    left: u64,
    promise: Option<Promise>,
    removed: Vec<Checkpoint>,
}

impl Space {
    /// `free` tells what the filesystem has left; `floor` of it stays free.
    pub(crate) fn new(
        floor: u64,
        free: impl Fn() -> Result<u64, Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            free: Box::new(free),
            floor,
            promised: Mutex::new(0),
        }
    }

    /// Promises `bytes`, or says why it cannot.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Reservation, Error> {
        self.reserve_against(bytes, 0)
    }

    /// As [`Space::reserve`], with `freed` bytes that are about to become free.
    pub(crate) fn reserve_against(
        self: &Arc<Self>,
        bytes: u64,
        freed: u64,
    ) -> Result<Reservation, Error> {
        self.promise(bytes, freed)?;
        Ok(Reservation {
            space: Arc::clone(self),
            left: bytes,
            promise: None,
            removed: Vec::new(),
        })
    }

    fn promise(&self, bytes: u64, freed: u64) -> Result<(), Error> {
        // Looked up under the lock: two promises must not be made of one look.
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        let free = (self.free)()?
            .saturating_add(freed)
            .saturating_sub(*promised);
        if self
            .floor
            .checked_add(bytes)
            .is_none_or(|least| least > free)
        {
            return Err(Error::NoSpace {
                needed: bytes,
                free,
                floor: self.floor,
            });
        }
        *promised = promised.saturating_add(bytes);
        Ok(())
    }

    fn release(&self, bytes: u64) {
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        *promised = promised.saturating_sub(bytes);
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space")
            .field("floor", &self.floor)
            .field("promised", &self.promised)
            .finish_non_exhaustive()
    }
}

impl Reservation {
    /// What had to go for it ([`crate::WhenFull::DeleteOldest`]), for the record.
    pub fn removed(&self) -> &[Checkpoint] {
        &self.removed
    }

    pub(crate) fn with(mut self, promise: Promise) -> Self {
        self.promise = Some(promise);
        self
    }

    /// Half of what is left, for another file of the same checkpoint.
    pub(crate) fn halve(&mut self) -> Self {
        let half = self.left / 2;
        self.left -= half;
        Self {
            space: Arc::clone(&self.space),
            left: half,
            promise: None,
            removed: Vec::new(),
        }
    }

    pub(crate) fn having_removed(mut self, removed: Vec<Checkpoint>) -> Self {
        self.removed = removed;
        self
    }

    /// The archive is published: its place in the quotas is its own now.
    pub(crate) fn take_promise(&mut self) -> Option<Promise> {
        self.promise.take()
    }

    /// Makes sure that `bytes` more may be written: an archive may outgrow its estimate, but not into what must stay free
    /// or is promised to another.
    pub(crate) fn cover(&mut self, bytes: u64) -> Result<(), Error> {
        if bytes > self.left {
            let more = (bytes - self.left).max(STEP);
            self.space.promise(more, 0)?;
            self.left = self.left.saturating_add(more);
        }
        Ok(())
    }

    /// These bytes are written.
    pub(crate) fn spend(&mut self, bytes: u64) {
        let spent = bytes.min(self.left);
        self.left -= spent;
        self.space.release(spent);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.space.release(self.left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn space(free: u64, floor: u64) -> (Arc<Space>, Arc<AtomicU64>) {
        let left = Arc::new(AtomicU64::new(free));
        let asked = Arc::clone(&left);
        (
            Arc::new(Space::new(floor, move || Ok(asked.load(Ordering::Relaxed)))),
            left,
        )
    }

    #[test]
    fn two_archives_are_never_promised_the_same_space() {
        let (space, _) = space(100, 10);
        let first = space.reserve(50).unwrap();
        let refused = space.reserve(41).unwrap_err();
        assert!(
            matches!(
                refused,
                Error::NoSpace {
                    needed: 41,
                    free: 50,
                    floor: 10
                }
            ),
            "{refused}"
        );
        let second = space.reserve(40).unwrap();
        assert!(space.reserve(1).is_err());
        drop(first);
        space.reserve(50).unwrap();
        drop(second);
        space.reserve(90).unwrap();
    }

    #[test]
    fn written_bytes_are_not_counted_twice() {
        let (space, free) = space(100, 0);
        let mut first = space.reserve(60).unwrap();
        first.cover(60).unwrap();
        free.store(40, Ordering::Relaxed);
        first.spend(60);
        space.reserve(40).unwrap();
    }

    #[test]
    fn an_archive_that_outgrows_its_estimate_stops_short_of_what_must_stay_free() {
        let (space, free) = space(3 * STEP, STEP);
        let mut growing = space.reserve(5).unwrap();
        growing.cover(STEP).unwrap();
        free.store(2 * STEP, Ordering::Relaxed);
        growing.spend(STEP);
        let refused = growing.cover(STEP).unwrap_err();
        assert!(matches!(refused, Error::NoSpace { .. }), "{refused}");
    }

    #[test]
    fn an_absurd_estimate_is_refused() {
        let (space, _) = space(u64::MAX, 1);
        assert!(space.reserve(u64::MAX).is_err());
    }
}
