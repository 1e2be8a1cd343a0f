//! Counts of names in bounded memory.

use std::collections::HashMap;

/// The most names that have a count of their own.
const NAMES: usize = 10_000;

/// Counts of names. Callers choose names, so all after the first 10,000 share one count.
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

    /// The `most` most frequent names with their counts, and the sum of the others.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_the_most_frequent_first_in_bounded_memory() {
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
}
