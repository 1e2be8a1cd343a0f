//! The index in memory: published checkpoints by age, and how much of each quota is used.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gateway_core::{CheckpointId, Hold, Target};

use crate::Filter;
use crate::entry::Entry;
use crate::quota::{Scope, Usage};

/// All published checkpoints by age, and how much they and the expected ones use of each quota.
#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: BTreeMap<CheckpointId, Entry>,
    containers: HashMap<Target, BTreeSet<CheckpointId>>,
    used: HashMap<(Scope, String), Usage>,
}

impl Index {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, id: CheckpointId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        self.remove(entry.id);
        self.count(&entry.target, entry.usage());
        self.containers
            .entry(entry.target.clone())
            .or_default()
            .insert(entry.id);
        self.entries.insert(entry.id, entry);
    }

    pub(crate) fn remove(&mut self, id: CheckpointId) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        self.uncount(&entry.target, entry.usage());
        if let Some(ids) = self.containers.get_mut(&entry.target) {
            ids.remove(&id);
            if ids.is_empty() {
                self.containers.remove(&entry.target);
            }
        }
    }

    pub(crate) fn set_hold(&mut self, id: CheckpointId, hold: Option<Hold>) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.hold = hold;
        }
    }

    /// The container's newest checkpoint.
    pub(crate) fn newest(&self, target: &Target) -> Option<&Entry> {
        self.containers
            .get(target)?
            .last()
            .and_then(|id| self.entries.get(id))
    }

    /// The newest `limit` entries that are older than `after` and match `filter`, newest first.
    pub(crate) fn matching(
        &self,
        filter: &Filter,
        after: Option<CheckpointId>,
        limit: usize,
    ) -> Vec<Entry> {
        let older = match after {
            Some(after) => self.entries.range(..after),
            None => self.entries.range(..),
        };
        older
            .rev()
            .map(|(_, entry)| entry)
            .filter(|entry| filter.matches(entry))
            .take(limit)
            .cloned()
            .collect()
    }

    /// All entries, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// All entries in the `scope` of `target`, oldest first.
    pub(crate) fn within(&self, scope: Scope, target: &Target) -> impl Iterator<Item = &Entry> {
        self.all()
            .filter(move |entry| scope.contains_both(&entry.target, target))
    }

    /// The usage that is stored or expected in the `scope` of `target`.
    pub(crate) fn used(&self, scope: Scope, target: &Target) -> Usage {
        self.used
            .get(&(scope, scope.key(target)))
            .copied()
            .unwrap_or_default()
    }

    /// Counts `usage` for `target` from now on.
    pub(crate) fn count(&mut self, target: &Target, usage: Usage) {
        for scope in Scope::ALL {
            let used = self.used.entry((scope, scope.key(target))).or_default();
            *used = used.plus(usage);
        }
    }

    /// Stops counting `usage`.
    pub(crate) fn uncount(&mut self, target: &Target, usage: Usage) {
        for scope in Scope::ALL {
            let key = (scope, scope.key(target));
            let left = self
                .used
                .get(&key)
                .copied()
                .unwrap_or_default()
                .minus(usage);
            if left == Usage::default() {
                self.used.remove(&key);
            } else {
                self.used.insert(key, left);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn entry(number: u128, container: u8, bytes: u64) -> Entry {
        Entry {
            id: Uuid::from_u128(number).into(),
            name: number.to_string().into(),
            target: format!("n{}/p{}/c{}", container / 4, container / 2, container)
                .parse()
                .unwrap(),
            created_at: Timestamp::UNIX_EPOCH,
            bytes,
            hold: None,
        }
    }

    proptest! {
        #[test]
        fn counts_what_is_stored_and_expected(
            steps in prop::collection::vec((any::<bool>(), 0u128..8, 0u8..8, 0u64..1000), 0..60),
        ) {
            let mut index = Index::default();
            let expected_later = entry(100, 1, 70);
            index.count(&expected_later.target, expected_later.usage());
            for (inserts, number, container, bytes) in steps {
                let entry = entry(number, container, bytes);
                if inserts { index.insert(entry) } else { index.remove(entry.id) }
            }
            for container in 0..8 {
                let target = entry(0, container, 0).target;
                for scope in Scope::ALL {
                    let there = index.within(scope, &target).map(Entry::usage);
                    let joins = scope.contains_both(&expected_later.target, &target);
                    let expected = there.chain(joins.then(|| expected_later.usage())).fold(Usage::default(), Usage::plus);
                    prop_assert_eq!(index.used(scope, &target), expected);
                }
                let newest = index.within(Scope::Container, &target).last();
                prop_assert_eq!(index.newest(&target), newest);
            }
            let ids: Vec<_> = index.all().map(|entry| entry.id).collect();
            for id in ids {
                index.remove(id);
            }
            index.uncount(&expected_later.target, expected_later.usage());
            prop_assert!(index.used.is_empty() && index.containers.is_empty(), "nothing is left");
        }
    }
}
