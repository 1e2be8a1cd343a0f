use std::collections::BTreeMap;

use gateway_core::Place;

/// How often each rule hid something, and where; never what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    counts: BTreeMap<(usize, Place), Count>,
}

/// What one rule hid in one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many matches.
    pub masks: u64,
    /// How many bytes, where the rule's matches overlap only once.
    pub bytes: u64,
}

impl Tally {
    /// The plan's rule of this index hid that much more.
    pub fn add(&mut self, rule: usize, place: Place, more: Count) {
        let count = self.counts.entry((rule, place)).or_default();
        count.masks = count.masks.saturating_add(more.masks);
        count.bytes = count.bytes.saturating_add(more.bytes);
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (&(rule, place), &count) in &other.counts {
            self.add(rule, place, count);
        }
    }

    /// The rules that hid something, by their index in the plan, and where.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Place, Count)> + '_ {
        self.counts
            .iter()
            .map(|(&(rule, place), &count)| (rule, place, count))
    }
}
