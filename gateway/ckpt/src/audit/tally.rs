//! Counting in bounded memory.

use std::collections::HashMap;

/// The most names that are counted each for itself.
const NAMES: usize = 10_000;

/// How often names occur. Those that come after the first 10,000 are counted together: who writes a log chooses its names.
#[derive(Default)]
pub(super) struct Tally {
    names: HashMap<String, u64>,
    others: u64,
}

impl Tally {
    pub(super) fn count(&mut self, name: &str) {
        if let Some(count) = self.names.get_mut(name) {
            *count = count.saturating_add(1);
        } else if self.names.len() < NAMES {
            self.names.insert(name.to_owned(), 1);
        } else {
            self.others = self.others.saturating_add(1);
        }
    }

    /// The most frequent `most`, and how often others occur.
    pub(super) fn top(&self, most: usize) -> (Vec<(&str, u64)>, u64) {
        let mut all: Vec<_> = self
            .names
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        all.sort_unstable_by(|(a, many), (b, more)| more.cmp(many).then(a.cmp(b)));
        let rest = all.iter().skip(most).map(|(_, count)| count).sum::<u64>();
        all.truncate(most);
        (all, rest.saturating_add(self.others))
    }
}

/// Durations, each within 1/32 of what it is: a histogram with 32 steps for every doubling.
pub(super) struct Durations {
    steps: Vec<u64>,
    count: u64,
}

impl Durations {
    const STEPS: u64 = 32;

    pub(super) fn new() -> Self {
        Self {
            steps: vec![0; 64 * 32],
            count: 0,
        }
    }

    pub(super) fn add(&mut self, microseconds: u64) {
        let place = usize::try_from(Self::place(microseconds)).unwrap_or(usize::MAX);
        if let Some(step) = self.steps.get_mut(place) {
            *step = step.saturating_add(1);
            self.count = self.count.saturating_add(1);
        }
    }

    /// The duration that `percent` of all do not exceed; `None` where there are none.
    pub(super) fn quantile(&self, percent: u64) -> Option<u64> {
        let wanted = self.count.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0_u64;
        let place = self.steps.iter().position(|count| {
            seen = seen.saturating_add(*count);
            seen >= wanted
        })?;
        Some(Self::end(place as u64))
    }

    /// Exact below 32, then the exponent and the five bits behind the first.
    fn place(value: u64) -> u64 {
        if value < Self::STEPS {
            return value;
        }
        let exponent = u64::from(value.ilog2()) - 5;
        (exponent + 1) * Self::STEPS + ((value >> exponent) - Self::STEPS)
    }

    /// The largest value of a place.
    fn end(place: u64) -> u64 {
        if place < Self::STEPS {
            return place;
        }
        let exponent = place / Self::STEPS - 1;
        let first = place % Self::STEPS + Self::STEPS;
        u64::try_from(
            (u128::from(first) + 1)
                .checked_shl(u32::try_from(exponent).unwrap_or(64))
                .unwrap_or(u128::MAX)
                - 1,
        )
        .unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_most_frequent_come_first_and_memory_is_bounded() {
        let mut tally = Tally::default();
        for name in ["a", "b", "b", "c"] {
            tally.count(name);
        }
        assert_eq!(tally.top(2), (vec![("b", 2), ("a", 1)], 1));
        for number in 0..20_000 {
            tally.count(&number.to_string());
        }
        assert_eq!((tally.names.len(), tally.top(1).0), (NAMES, vec![("b", 2)]));
        assert_eq!(tally.top(1).1, 20_002);
    }

    #[test]
    fn quantiles_of_nothing_are_none() {
        assert_eq!(Durations::new().quantile(50), None);
    }

    proptest! {
        #[test]
        fn a_quantile_is_what_sorting_says_within_a_step(mut values in prop::collection::vec(any::<u64>(), 1..50), percent in 1_u64..=100) {
            let mut durations = Durations::new();
            for value in &values {
                durations.add(*value);
            }
            values.sort_unstable();
            let at = (values.len() as u64 * percent).div_ceil(100) - 1;
            let (exact, told) = (values[usize::try_from(at).unwrap()], durations.quantile(percent).unwrap());
            prop_assert!(told >= exact && told - exact <= exact / 32, "{exact} {told}");
        }
    }
}
