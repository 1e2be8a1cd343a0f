//! The slots in which policies run: a counting semaphore for threads, with a deadline.

use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// The free slots.
pub(super) struct Slots {
    state: Mutex<State>,
    released: Condvar,
}

struct State {
    free: usize,
    waiting: usize,
}

impl Slots {
    pub(super) fn new(free: usize) -> Self {
        Self {
            state: Mutex::new(State { free, waiting: 0 }),
            released: Condvar::new(),
        }
    }

    /// Takes a slot; `None` if none was free before `until`.
    pub(super) fn acquire(&self, until: Instant) -> Option<()> {
        let mut state = self.state.lock();
        if state.free == 0 {
            state.waiting = state.waiting.saturating_add(1);
            self.released
                .wait_while_until(&mut state, |state| state.free == 0, until);
            state.waiting = state.waiting.saturating_sub(1);
        }
        state.free = state.free.checked_sub(1)?;
        Some(())
    }

    /// Returns a slot.
    pub(super) fn release(&self) {
        let mut state = self.state.lock();
        state.free = state.free.saturating_add(1);
        if state.waiting > 0 {
            self.released.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn grants_no_more_slots_than_there_are() {
        let slots = Slots::new(1);
        assert_eq!(slots.acquire(Instant::now()), Some(()));
        assert_eq!(slots.acquire(Instant::now()), None);
        slots.release();
        assert_eq!(slots.acquire(Instant::now()), Some(()));
    }

    #[test]
    fn a_released_slot_wakes_a_waiting_thread() {
        let slots = Slots::new(0);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| slots.acquire(Instant::now() + Duration::from_mins(1)));
            while slots.state.lock().waiting == 0 {
                std::thread::yield_now();
            }
            slots.release();
            assert_eq!(waiting.join().unwrap(), Some(()));
        });
    }
}
