//! Finds the few offsets at which an anchor may begin, at memory speed.

use std::collections::HashMap;
use std::ops::Range;

use fearless_simd::Level;

use super::anchor::{Anchor, Check, GRAM, Window};
use super::pairs::{AHEAD, BLOCK, Pairs};
use super::sieve::{Candidates, PAGE, Sieve};

/// Bits of a gram's hash: the bitset has 128 KiB. With fewer, text has twice as many false alarms.
const HASH_BITS: u32 = 20;
const WORDS: usize = 1 << (HASH_BITS - 6);
/// Bits of the hash that choose a bucket of entries.
const BUCKET_BITS: u32 = 14;
/// The most grams: with more, nearly every offset would be a candidate.
pub(super) const GRAMS_MAX: usize = 1 << 20;
/// Anchors that share a gram, if they have others.
const SHARED_MAX: usize = 8;
/// Candidates of the sieve that are tested at once.
const LEFT: usize = 128;
/// Windows of an anchor that are compared.
const CHOICES_MAX: usize = 16;

/// Tests the four bytes at every *even* offset: each anchor has one gram that stands at an even offset if the anchor begins at
/// one, and another gram if it begins at an odd one. The [`Sieve`], then the [`Pairs`], then a bitset of hashes rule out most
/// grams; the few that are left are compared.
#[derive(Debug)]
pub(super) struct Filter {
    sieve: Sieve,
    pairs: Pairs,
    bits: Vec<u64>,
    /// The beginning of each bucket's entries, and the end of the last one's.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
    places: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    gram: u32,
    /// The index of its place.
    place: u32,
}

/// The place of grams in an anchor.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The anchor's index.
    anchor: usize,
    /// Their distance from the anchor's beginning, in bytes.
    offset: isize,
    check: Check,
}

impl Filter {
    /// For these anchors, with the indices of those that are too short. `None` if they have too many grams together.
    pub(super) fn new(anchors: &[Anchor], level: Level) -> Option<(Self, Vec<usize>)> {
        let mut sieve = Sieve::new(level);
        let (mut entries, mut places) = (Vec::new(), Vec::new());
        let mut pairs = Pairs::new();
        let mut short = Vec::new();
        let mut used: HashMap<u32, usize> = HashMap::new();
        // Those with the fewest windows to choose from first: the others can follow them.
        let mut order: Vec<(usize, &Anchor)> = anchors.iter().enumerate().collect();
        order.sort_by_key(|(_, anchor)| anchor.len());
        for (index, anchor) in order {
            if !anchor.is_usable() {
                short.push(index);
                continue;
            }
            for parity in 0..2 {
                let choices = uncrowded(anchor.choices(parity), &used);
                let window = cheapest(choices, &sieve, &pairs)?;
                if let [gram] = window.grams.as_slice() {
                    *used.entry(*gram).or_default() += 1;
                }
                sieve.add(&window.grams);
                pairs.add(&window.grams);
                let place = u32::try_from(places.len()).ok()?;
                places.push(Place {
                    anchor: index,
                    offset: window.offset,
                    check: anchor.check(window.offset),
                });
                let entry = |gram| Entry { gram, place };
                entries.extend(window.grams.into_iter().map(entry));
            }
            if entries.len() > GRAMS_MAX {
                return None;
            }
        }
        Some((Self::of(sieve, pairs, entries, places), short))
    }

    fn of(sieve: Sieve, pairs: Pairs, mut entries: Vec<Entry>, places: Vec<Place>) -> Self {
        let bucket = |entry: &Entry| hash(entry.gram) >> (HASH_BITS - BUCKET_BITS);
        entries.sort_by_key(bucket);
        let starts = (0..=1u32 << BUCKET_BITS)
            .map(|wanted| entries.partition_point(|entry| bucket(entry) < wanted));
        let buckets = starts
            .map(|start| u32::try_from(start).unwrap_or(u32::MAX))
            .collect();
        let mut bits = vec![0u64; WORDS];
        for entry in &entries {
            let hash = hash(entry.gram);
            if let Some(word) = bits.get_mut(hash as usize >> 6) {
                *word |= 1 << (hash & 63);
            }
        }
        Self {
            sieve,
            pairs,
            bits,
            buckets,
            entries,
            places,
        }
    }

    /// Calls `hit` with an anchor's index and the offset at which it may begin, for every gram of an anchor in `range` of
    /// `bytes`, at most a page. The beginning of `range` counts as even; grams may reach beyond its end. Tells whether nothing
    /// but zeros stands there, if it looked.
    pub(super) fn sweep(
        &self,
        bytes: &[u8],
        range: Range<usize>,
        room: &mut Candidates,
        hit: &mut impl FnMut(usize, usize),
    ) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        match bytes.get(range.start..range.end + AHEAD) {
            Some(page) if !self.may_have(0) && is_zero(page) => return true,
            Some(page) => self.page(page, range.len(), room, &mut |within| {
                self.candidate(bytes, range.start + within, hit);
            }),
            // Near the end of a stream. Bytes beyond it count as zeros; the comparison sorts those out.
            None => range
                .step_by(2)
                .for_each(|at| self.candidate(bytes, at, hit)),
        }
        false
    }

    /// Tests `length` bytes, a whole page except at the end, and calls `at` with the offset of each gram that is left. `page`
    /// reaches [`AHEAD`] bytes further.
    fn page(&self, page: &[u8], length: usize, room: &mut Candidates, at: &mut impl FnMut(usize)) {
        let whole = page.first_chunk().filter(|_| length == PAGE);
        let Some(whole) = whole.filter(|_| self.sieve.works()) else {
            self.halves(page, length, at);
            return;
        };
        // Without a branch for each: few are left, and the processor would guess wrong at each of them.
        let mut left = [0u16; LEFT];
        for some in self.sieve.candidates(whole, room).chunks(LEFT) {
            let mut count = 0;
            for &within in some {
                let noticed = self.may_have(gram(page, usize::from(within)));
                if let Some(room) = left.get_mut(count) {
                    *room = within;
                }
                count += usize::from(noticed);
            }
            for &within in left.iter().take(count) {
                at(usize::from(within));
            }
        }
        at(PAGE - 2);
    }

    /// Looks up each half once and tests it against the one before, with a branch for each test: if the tests are collected,
    /// the compiler builds vectors of them, which takes longer than everything else.
    fn halves(&self, page: &[u8], length: usize, at: &mut impl FnMut(usize)) {
        let Some((first, rest)) = page.split_first_chunk() else {
            return;
        };
        let (blocks, _) = rest.as_chunks::<BLOCK>();
        let mut last = self.pairs.of(*first);
        let mut offset = 0;
        for block in blocks.iter().take(length / BLOCK) {
            let (halves, _) = block.as_chunks::<2>();
            for (index, half) in halves.iter().enumerate() {
                let next = self.pairs.of(*half);
                if last.meet(next) {
                    at(offset + 2 * index);
                }
                last = next;
            }
            offset += BLOCK;
        }
        (offset..length).step_by(2).for_each(at);
    }

    #[inline]
    fn may_have(&self, gram: u32) -> bool {
        let hash = hash(gram);
        self.bits
            .get(hash as usize >> 6)
            .is_some_and(|word| word >> (hash & 63) & 1 == 1)
    }

    /// Out of line, to keep the loops short.
    #[cold]
    #[inline(never)]
    fn candidate(&self, bytes: &[u8], at: usize, hit: &mut impl FnMut(usize, usize)) {
        let found = gram(bytes, at);
        if !self.may_have(found) {
            return;
        }
        let bucket = (hash(found) >> (HASH_BITS - BUCKET_BITS)) as usize;
        let bounds = self.buckets.get(bucket).zip(self.buckets.get(bucket + 1));
        let Some((&from, &to)) = bounds else { return };
        for entry in self
            .entries
            .get(from as usize..to as usize)
            .unwrap_or_default()
        {
            if entry.gram == found
                && let Some(place) = self.places.get(entry.place as usize)
                && let Some(start) = at.checked_add_signed(-place.offset)
                && place.check.holds(bytes, at)
            {
                hit(place.anchor, start);
            }
        }
    }
}

impl Check {
    /// Whether the further bytes stand beside the gram at `at`.
    #[inline]
    fn holds(&self, bytes: &[u8], at: usize) -> bool {
        at.checked_add_signed(self.offset)
            .is_some_and(|at| gram(bytes, at) & self.mask == self.gram)
    }
}

/// Without windows that too many anchors have already: each of them is compared wherever the gram stands. All, if all are so.
fn uncrowded(choices: Vec<Window>, used: &HashMap<u32, usize>) -> Vec<Window> {
    let is_crowded = |window: &Window| {
        let gram = window.grams.first();
        gram.and_then(|gram| used.get(gram)) >= Some(&SHARED_MAX)
    };
    if choices.iter().all(is_crowded) {
        return choices;
    }
    let choices = choices.into_iter();
    choices.filter(|window| !is_crowded(window)).collect()
}

/// The window that adds the fewest false alarms to those that are looked for already.
fn cheapest(mut choices: Vec<Window>, sieve: &Sieve, pairs: &Pairs) -> Option<Window> {
    choices.truncate(CHOICES_MAX);
    if choices.len() < 2 {
        return choices.pop();
    }
    let cost = |window: &Window| sieve.cost(&window.grams) + pairs.cost(&window.grams);
    let costs = choices.into_iter().map(|window| (cost(&window), window));
    let best = costs.min_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map(|(_, window)| window)
}

/// The four bytes at `at`; missing ones count as zeros.
fn gram(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).unwrap_or_default();
    if let Some(&gram) = bytes.first_chunk() {
        return u32::from_le_bytes(gram);
    }
    let mut gram = [0; GRAM];
    for (to, &from) in gram.iter_mut().zip(bytes) {
        *to = from;
    }
    u32::from_le_bytes(gram)
}

/// Multiplicative hashing (Knuth, TAOCP 6.4): the high bits depend on the whole gram. Zero stays zero.
fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)
}

fn is_zero(page: &[u8]) -> bool {
    let (head, rest) = page.split_at(page.len().min(64));
    head.iter().all(|&byte| byte == 0) && rest.iter().fold(0, |all, byte| all | byte) == 0
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn hits(filter: &Filter, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut hits = Vec::new();
        for from in (0..bytes.len()).step_by(PAGE) {
            let page = from..bytes.len().min(from + PAGE);
            filter.sweep(
                bytes,
                page,
                &mut Candidates::default(),
                &mut |anchor, at| {
                    hits.push((anchor, at));
                },
            );
        }
        hits
    }

    proptest! {
        #[test]
        fn the_sieve_finds_all_that_the_pairs_find(
            anchors in vec(prop_oneof![vec(any::<u8>(), 3..9), vec(b'a'..=b'd', 3..9)], 1..40),
            pieces in vec((any::<prop::sample::Index>(), 0usize..200, any::<u8>()), 1..300),
        ) {
            let mut bytes = Vec::new();
            for (anchor, gap, filler) in pieces {
                bytes.extend(anchor.get(&anchors));
                bytes.resize(bytes.len() + gap, filler);
            }
            let anchors: Vec<Anchor> = anchors.iter().map(|anchor| Anchor::literal(anchor)).collect();
            let (sieved, _) = Filter::new(&anchors, Level::new()).unwrap();
            let (plain, _) = Filter::new(&anchors, Level::baseline()).unwrap();
            prop_assert!(!plain.sieve.works());
            prop_assert_eq!(hits(&sieved, &bytes), hits(&plain, &bytes));
        }
    }
}
