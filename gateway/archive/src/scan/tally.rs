/// How often and how much was hidden.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) masks: u64,
    pub(crate) bytes: u64,
}

/// A count for each of the plan's mask rules, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally(Vec<Count>);

impl Tally {
    pub(super) fn of(rules: usize) -> Self {
        Self(vec![Count::default(); rules])
    }

    pub(super) fn add(&mut self, rule: usize, bytes: u64) {
        if self.0.len() <= rule {
            self.0.resize(rule + 1, Count::default());
        }
        if let Some(count) = self.0.get_mut(rule) {
            count.masks += 1;
            count.bytes += bytes;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), Count::default());
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            mine.masks += theirs.masks;
            mine.bytes += theirs.bytes;
        }
    }

    /// The counts, by the rule's position in the plan.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (usize, Count)> {
        self.0.iter().copied().enumerate().filter(|(_, count)| *count != Count::default())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counts().next().is_none()
    }
}
