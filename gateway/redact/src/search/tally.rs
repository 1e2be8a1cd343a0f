//! Counts what was masked.

use std::collections::BTreeMap;

use gateway_core::Place;

use super::sightings::Sightings;

/// Counts of matches, by rule and place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    counts: BTreeMap<(usize, Place), Count>,
    /// The secrets that were found, where the settings ask for their description.
    pub(crate) sightings: Sightings,
}

/// The matches of one rule in one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Matches.
    pub masks: u64,
    /// Bytes; those in several matches of the rule count once.
    pub bytes: u64,
}

impl Tally {
    /// Adds `more` to the plan's rule of this index.
    pub fn add(&mut self, rule: usize, place: Place, more: Count) {
        let count = self.counts.entry((rule, place)).or_default();
        count.masks = count.masks.saturating_add(more.masks);
        count.bytes = count.bytes.saturating_add(more.bytes);
    }

    /// Adds all counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (&(rule, place), &count) in &other.counts {
            self.add(rule, place, count);
        }
        self.sightings.merge(&other.sightings);
    }

    /// The rules that masked something, by their index in the plan, and the place.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Place, Count)> + '_ {
        self.counts
            .iter()
            .map(|(&(rule, place), &count)| (rule, place, count))
    }
}
