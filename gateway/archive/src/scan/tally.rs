use std::collections::BTreeMap;

use gateway_core::Place;

/// How often each rule hid something, and where; never what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    counts: BTreeMap<(usize, Place), Count>,
}

/// What one rule hid in one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) masks: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, rule: usize, place: Place, more: Count) {
        let count = self.counts.entry((rule, place)).or_default();
        count.masks = count.masks.saturating_add(more.masks);
        count.bytes = count.bytes.saturating_add(more.bytes);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (&(rule, place), &count) in &other.counts {
            self.add(rule, place, count);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, Place, Count)> + '_ {
        self.counts.iter().map(|(&(rule, place), &count)| (rule, place, count))
    }
}
