//! Rate limit for the audit records of unauthenticated requests.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A token bucket for the audit records of all unauthenticated requests: one for all callers, since they could choose freely
/// whatever would tell them apart.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    /// The time between two tokens.
    interval: Duration,
    /// How far `full` may lie ahead of now.
    tolerance: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The time at which the bucket will be full again.
    full: Instant,
    /// Requests without a token since the last one that got one.
    left_out: u64,
}

impl TokenBucket {
    /// A full bucket that holds `burst` tokens.
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

    /// Takes a token, and returns how many requests got none since the last one that did; `None` where there is no token.
    pub(crate) fn take(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock();
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
    fn limits_the_rate_and_counts_what_it_leaves_out() {
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
