//! A table of byte pairs that rules out most grams.

use std::fmt;

use super::anchor::frequency;

/// Bytes that are tested at once, and how far their last gram may reach beyond them.
pub(super) const BLOCK: usize = 32;
pub(super) const AHEAD: usize = 8;
const HALVES: usize = 1 << 16;
const GROUPS: usize = 8;

/// For every half of a gram, two bytes, the groups of windows that have it as their first half (low byte) and as their second
/// (high byte). One load for two bytes of memory and no multiplication: twice as fast as a hash.
pub(super) struct Pairs {
    groups: Box<[u16; HALVES]>,
    /// The expected frequencies of each group's first and second halves.
    frequencies: [(f64, f64); GROUPS],
}

/// The groups of one half.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups(u16);

impl Groups {
    /// Whether the gram that `next` completes may be in a window.
    #[inline]
    pub(super) fn meet(self, next: Self) -> bool {
        self.0 & next.0 >> GROUPS != 0
    }
}

impl Pairs {
    #[expect(
        clippy::large_stack_arrays,
        reason = "128 KiB, and only while a plan is compiled"
    )]
    pub(super) fn new() -> Self {
        Self {
            groups: Box::new([0; HALVES]),
            frequencies: [(0.0, 0.0); GROUPS],
        }
    }

    /// Adds the grams of a window to the group in which they cause the fewest false alarms.
    pub(super) fn add(&mut self, grams: &[u32]) {
        let costs = (0..GROUPS).map(|group| (group, self.costs(group, grams)));
        let best = costs.min_by(|(_, a), (_, b)| a.more.total_cmp(&b.more));
        let Some((group, costs)) = best else { return };
        for &gram in grams {
            let (first, second) = halves(gram);
            self.mark(first, 1 << group);
            self.mark(second, 1 << (group + GROUPS));
        }
        if let Some(frequencies) = self.frequencies.get_mut(group) {
            *frequencies = costs.frequencies;
        }
    }

    /// The expected frequency of the false alarms that these grams would add.
    pub(super) fn cost(&self, grams: &[u32]) -> f64 {
        let costs = (0..GROUPS).map(|group| match grams {
            [gram] => self.cost_of_one(group, *gram),
            _ => self.costs(group, grams).more,
        });
        costs.min_by(f64::total_cmp).unwrap_or_default()
    }

    /// The same for one gram in one group.
    fn cost_of_one(&self, group: usize, gram: u32) -> f64 {
        let new = |half: u16, bit: usize| {
            let known = self.of(half.to_le_bytes()).0 >> bit & 1 == 1;
            if known { 0.0 } else { frequency_of(half) }
        };
        let (one, two) = halves(gram);
        let (first, second) = self.frequencies.get(group).copied().unwrap_or_default();
        (first + new(one, group)) * (second + new(two, group + GROUPS)) - first * second
    }

    /// The groups of a half.
    #[inline]
    pub(super) fn of(&self, half: [u8; 2]) -> Groups {
        Groups(
            self.groups
                .get(usize::from(u16::from_le_bytes(half)))
                .copied()
                .unwrap_or(0),
        )
    }

    fn mark(&mut self, half: u16, bit: u16) {
        if let Some(groups) = self.groups.get_mut(usize::from(half)) {
            *groups |= bit;
        }
    }

    fn costs(&self, group: usize, grams: &[u32]) -> Costs {
        let known = |half: u16, bit: usize| self.of(half.to_le_bytes()).0 >> bit & 1 == 1;
        let (mut firsts, mut seconds): (Vec<u16>, Vec<u16>) =
            grams.iter().map(|&gram| halves(gram)).unzip();
        let sum = |halves: &mut Vec<u16>, bit: usize| {
            halves.sort_unstable();
            halves.dedup();
            halves
                .iter()
                .filter(|&&half| !known(half, bit))
                .map(|&half| frequency_of(half))
                .sum::<f64>()
        };
        let (first, second) = self.frequencies.get(group).copied().unwrap_or_default();
        let more = (
            first + sum(&mut firsts, group),
            second + sum(&mut seconds, group + GROUPS),
        );
        Costs {
            frequencies: more,
            more: more.0 * more.1 - first * second,
        }
    }
}

impl fmt::Debug for Pairs {
    /// Not the whole table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairs")
            .field("frequencies", &self.frequencies)
            .finish_non_exhaustive()
    }
}

struct Costs {
    frequencies: (f64, f64),
    more: f64,
}

fn halves(gram: u32) -> (u16, u16) {
    let [a, b, c, d] = gram.to_le_bytes();
    (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
}

fn frequency_of(half: u16) -> f64 {
    half.to_le_bytes().into_iter().map(frequency).product()
}
