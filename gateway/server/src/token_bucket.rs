use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A token bucket for all that is written down of callers who have proven nothing: one for all of them, since whatever told
/// them apart would be theirs to choose.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    /// Between two tokens.
    interval: Duration,
    /// How far ahead of the time the bucket may be emptied.
    tolerance: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the bucket will be full again.
    full: Instant,
    left_out: u64,
}

impl TokenBucket {
    /// One that is full, with room for `burst`.
    pub(crate) fn new(per_second: NonZeroU32, burst: NonZeroU32, now: Instant) -> Self {
        let interval = Duration::from_secs(1) / per_second.get();
        let tolerance = interval.saturating_mul(burst.get() - 1);
        Self {
            interval,
            tolerance,
            state: Mutex::new(State {
                full: now,
                left_out: 0,
            }),
        }
    }

    /// Takes a token, and tells how many were asked for in vain since the last one that was there; `None` where there is none.
    pub(crate) fn take(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let full = state.full.max(now);
        if full.duration_since(now) > self.tolerance {
            state.left_out = state.left_out.saturating_add(1);
            return None;
        }
        state.full = full + self.interval;
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_too_fast_is_left_out_and_counted() {
        let number = |number| NonZeroU32::new(number).unwrap();
        let start = Instant::now();
        let bucket = TokenBucket::new(number(10), number(3), start);
        let taken: Vec<_> = (0..5).map(|_| bucket.take(start)).collect();
        assert_eq!(taken, [Some(0), Some(0), Some(0), None, None]);
        let later = start + Duration::from_millis(100);
        assert_eq!((bucket.take(later), bucket.take(later)), (Some(2), None));
        let much_later = start + Duration::from_mins(1);
        let taken: Vec<_> = (0..4).map(|_| bucket.take(much_later)).collect();
        assert_eq!(
            taken,
            [Some(1), Some(0), Some(0), None],
            "no more than the burst is saved up"
        );
    }
}
