//! Finds where the clock was set back.

use jiff::{SignedDuration, Timestamp};

use super::verified::ClockSetBack;

/// Records that wait together may be written in another order than they were made, but none waits this long.
const REORDERING: SignedDuration = SignedDuration::from_mins(1);

/// The times of the records so far.
#[derive(Debug, Default)]
pub(super) struct Clock {
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    latest: Option<Timestamp>,
    pub(super) set_back: Option<ClockSetBack>,
}

impl Clock {
    /// Takes in the time of the record `seq`.
    pub(super) fn add(&mut self, seq: u64, at: Timestamp) {
        self.first.get_or_insert(at);
        self.last = Some(at);
        let latest = self.latest.map_or(at, |latest| latest.max(at));
        let by = latest.duration_since(at);
        if by > self.set_back.map_or(REORDERING, |largest| largest.by) {
            self.set_back = Some(ClockSetBack { seq, by });
        }
        self.latest = Some(latest);
    }
}
