//! The free space of the file system, and how much of it is reserved for expected archives.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::Error;

/// The step by which an archive that outgrows its estimate reserves more, in bytes.
const STEP: u64 = 16 << 20;

type Free = Box<dyn Fn() -> Result<u64, Error> + Send + Sync>;

/// The free space of a file system and the part of it that is reserved for expected archives.
pub(crate) struct Space {
    free: Free,
    floor: u64,
    reserved: Mutex<u64>,
}

/// Space that one file may fill. It shrinks as the file is written, since the file system then counts those bytes itself.
/// Dropped, the rest is free again.
#[derive(Debug)]
pub(crate) struct SpaceReservation {
    space: Arc<Space>,
    left: u64,
}

impl Space {
    /// `free` asks the file system for its free bytes; `floor` of them stay free.
    pub(crate) fn new(
        floor: u64,
        free: impl Fn() -> Result<u64, Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            free: Box::new(free),
            floor,
            reserved: Mutex::new(0),
        }
    }

    /// Reserves `bytes`.
    ///
    /// # Errors
    /// [`Error::NoSpace`] where less than the floor would stay free.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64) -> Result<SpaceReservation, Error> {
        self.reserve_against(bytes, 0)
    }

    /// As [`Space::reserve`], with `freed` bytes that are about to become free.
    pub(crate) fn reserve_against(
        self: &Arc<Self>,
        bytes: u64,
        freed: u64,
    ) -> Result<SpaceReservation, Error> {
        self.add(bytes, freed)?;
        Ok(SpaceReservation {
            space: Arc::clone(self),
            left: bytes,
        })
    }

    fn add(&self, bytes: u64, freed: u64) -> Result<(), Error> {
        // Asked under the lock: two reservations must not be made of one answer.
        let mut reserved = self.reserved.lock();
        let free = (self.free)()?
            .saturating_add(freed)
            .saturating_sub(*reserved);
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
        *reserved = reserved.saturating_add(bytes);
        Ok(())
    }

    fn release(&self, bytes: u64) {
        let mut reserved = self.reserved.lock();
        *reserved = reserved.saturating_sub(bytes);
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space")
            .field("floor", &self.floor)
            .field("reserved", &self.reserved)
            .finish_non_exhaustive()
    }
}

impl SpaceReservation {
    /// Splits off half of it, for another file of the same checkpoint.
    pub(crate) fn split_half(&mut self) -> Self {
        let half = self.left / 2;
        self.left -= half;
        Self {
            space: Arc::clone(&self.space),
            left: half,
        }
    }

    /// Makes sure that `bytes` more may be written: an archive may outgrow its estimate, but not into space that must stay
    /// free or is reserved for another.
    pub(crate) fn cover(&mut self, bytes: u64) -> Result<(), Error> {
        if bytes > self.left {
            let more = (bytes - self.left).max(STEP);
            self.space.add(more, 0)?;
            self.left = self.left.saturating_add(more);
        }
        Ok(())
    }

    /// Frees the reservation of `bytes` that are written.
    pub(crate) fn spend(&mut self, bytes: u64) {
        let spent = bytes.min(self.left);
        self.left -= spent;
        self.space.release(spent);
    }
}

impl Drop for SpaceReservation {
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
    fn never_reserves_the_same_space_twice() {
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
    fn counts_written_bytes_once() {
        let (space, free) = space(100, 0);
        let mut first = space.reserve(60).unwrap();
        first.cover(60).unwrap();
        free.store(40, Ordering::Relaxed);
        first.spend(60);
        space.reserve(40).unwrap();
    }

    #[test]
    fn a_growing_archive_stops_at_the_floor() {
        let (space, free) = space(3 * STEP, STEP);
        let mut growing = space.reserve(5).unwrap();
        growing.cover(STEP).unwrap();
        free.store(2 * STEP, Ordering::Relaxed);
        growing.spend(STEP);
        let refused = growing.cover(STEP).unwrap_err();
        assert!(matches!(refused, Error::NoSpace { .. }), "{refused}");
    }

    #[test]
    fn refuses_an_absurd_estimate() {
        let (space, _) = space(u64::MAX, 1);
        assert!(space.reserve(u64::MAX).is_err());
    }
}
