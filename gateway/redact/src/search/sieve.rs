//! Rules out most grams 64 at a time, on CPUs with AVX-512.

use std::{array, fmt};

use fearless_simd::Level;

use super::anchor::{GRAM, frequency};
use super::bytes::ByteSet;

/// Bytes that are tested at once.
pub(super) const PAGE: usize = 4096;
/// Bytes for each word of [`Candidates`].
const BLOCK: usize = 128;
const GROUPS: usize = 8;

/// For each byte, in four quarters, the groups of windows that have it at one place of a gram.
type Table = [[u8; 64]; 4];

/// Rules out a gram if no group of windows has each of its bytes at its place. That is weaker than the test of pairs, but the
/// tables fit into the CPU's registers, and one instruction tests 64 bytes.
pub(super) struct Sieve {
    level: Level,
    tables: Box<[Table; GRAM]>,
    /// The expected frequency of a match at each place of each group.
    frequencies: [[f64; GRAM]; GROUPS],
}

/// Offsets in a page that may hold a gram: a bit for each even offset, shifted by one.
#[derive(Debug, Default)]
pub(super) struct Candidates([u64; PAGE / BLOCK]);

impl Sieve {
    /// Uses the best instructions that this CPU has.
    pub(super) fn new() -> Self {
        Self::at(Level::new())
    }

    pub(super) fn at(level: Level) -> Self {
        Self {
            level,
            tables: Box::new([[[0; 64]; 4]; GRAM]),
            frequencies: [[0.0; GRAM]; GROUPS],
        }
    }

    /// Adds the grams of a window to the group in which they cause the fewest false alarms.
    pub(super) fn add(&mut self, grams: &[u32]) {
        let sets = sets_of(grams);
        let Some((group, then, _)) = self.cheapest(&sets) else {
            return;
        };
        for (table, set) in self.tables.iter_mut().zip(&sets) {
            set.iter().for_each(|byte| mark(table, byte, 1 << group));
        }
        if let Some(now) = self.frequencies.get_mut(group) {
            *now = then;
        }
    }

    /// The expected frequency of the false alarms that these grams would add.
    pub(super) fn cost(&self, grams: &[u32]) -> f64 {
        self.cheapest(&sets_of(grams))
            .map_or(0.0, |(.., more)| more)
    }

    /// The group in which the grams cause the fewest false alarms, its frequencies with them, and those false alarms.
    fn cheapest(&self, sets: &[ByteSet; GRAM]) -> Option<(usize, [f64; GRAM], f64)> {
        let costs = (0..).zip(&self.frequencies).map(|(group, now)| {
            let then = self.frequencies_with(sets, group, now);
            let more = then.iter().product::<f64>() - now.iter().product::<f64>();
            (group, then, more)
        });
        costs.min_by(|(.., a), (.., b)| a.total_cmp(b))
    }

    fn frequencies_with(
        &self,
        sets: &[ByteSet; GRAM],
        group: usize,
        now: &[f64; GRAM],
    ) -> [f64; GRAM] {
        let mut then = *now;
        for ((then, set), table) in then.iter_mut().zip(sets).zip(self.tables.iter()) {
            let new = set
                .iter()
                .filter(|&byte| groups_of(table, byte) >> group & 1 == 0);
            *then += new.map(frequency).sum::<f64>();
        }
        then
    }

    /// `None` on other CPUs. The page's last gram, which ends beyond it, is not tested.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn candidates(&self, page: &[u8; PAGE]) -> Option<Candidates> {
        let mut candidates = Candidates::default();
        avx512::look(
            self.level.as_avx512()?,
            &self.tables,
            page,
            &mut candidates.0,
        );
        Some(candidates)
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[expect(clippy::unused_self, reason = "as on x86-64")]
    pub(super) fn candidates(&self, _page: &[u8; PAGE]) -> Option<Candidates> {
        None
    }
}

impl Candidates {
    /// Calls `at` with each of the offsets.
    #[inline]
    pub(super) fn each(&self, mut at: impl FnMut(usize)) {
        for (&word, block) in self.0.iter().zip((0..).step_by(BLOCK)) {
            let mut left = word;
            while left != 0 {
                // A page's first bit is never set: no gram begins before it.
                at((block + 2 * left.trailing_zeros() as usize).saturating_sub(2));
                left &= left - 1;
            }
        }
    }
}

/// The bytes at each place of the grams.
fn sets_of(grams: &[u32]) -> [ByteSet; GRAM] {
    array::from_fn(|place| {
        let bytes = grams
            .iter()
            .filter_map(|gram| gram.to_le_bytes().get(place).copied());
        ByteSet::of(bytes)
    })
}

fn groups_of(table: &Table, byte: u8) -> u8 {
    let quarter = table.get(usize::from(byte >> 6));
    quarter
        .and_then(|quarter| quarter.get(usize::from(byte & 63)))
        .copied()
        .unwrap_or(0)
}

fn mark(table: &mut Table, byte: u8, bit: u8) {
    let quarter = table.get_mut(usize::from(byte >> 6));
    if let Some(groups) = quarter.and_then(|quarter| quarter.get_mut(usize::from(byte & 63))) {
        *groups |= bit;
    }
}

impl fmt::Debug for Sieve {
    /// Not the tables.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sieve")
            .field("level", &self.level)
            .field("frequencies", &self.frequencies)
            .finish_non_exhaustive()
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512i, _mm512_and_si512, _mm512_mask_blend_epi8, _mm512_movepi8_mask,
        _mm512_permutex2var_epi8, _mm512_setzero_si512, _mm512_test_epi8_mask,
    };

    use fearless_simd::prelude::*;
    use fearless_simd::{kernel, u8x64};

    use super::{BLOCK, GRAM, PAGE, Table};

    /// Of two vectors one after the other: the even bytes, the odd ones, and those from the first one's last on.
    const EVEN: [u8; 64] = lanes(0, 2);
    const ODD: [u8; 64] = lanes(1, 2);
    const BEFORE: [u8; 64] = lanes(63, 1);

    kernel!(
        /// Bit `n` of a block's word: whether the gram at `2 * n - 2` in it may be a candidate. So a gram that begins with the last
        /// two bytes of a block belongs to the next one, which has its second half.
        pub(super) fn look(
            cpu: Avx512,
            tables: &[Table; GRAM],
            page: &[u8; PAGE],
            noticed: &mut [u64; PAGE / BLOCK],
        ) {
            let load = |bytes: &[u8; 64]| -> __m512i { u8x64::from_slice(cpu, bytes).into() };
            let quarters = |[a, b, c, d]: &Table| [load(a), load(b), load(c), load(d)];
            let [first, second, third, fourth] = tables;
            let (first, second) = (quarters(first), quarters(second));
            let (third, fourth) = (quarters(third), quarters(fourth));
            let (even, odd, before) = (load(&EVEN), load(&ODD), load(&BEFORE));
            // Each byte's groups: an index into a register pair has seven bits, and the eighth chooses the pair.
            let groups = |[a, b, c, d]: [__m512i; 4], bytes: __m512i| -> __m512i {
                let (low, high) = (
                    _mm512_permutex2var_epi8(a, bytes, b),
                    _mm512_permutex2var_epi8(c, bytes, d),
                );
                _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high)
            };
            let mut last = _mm512_setzero_si512();
            let (lines, _) = page.as_chunks::<64>();
            let (blocks, _) = lines.as_chunks::<2>();
            for ([one, two], word) in blocks.iter().zip(noticed) {
                let (one, two) = (load(one), load(two));
                let evens = _mm512_permutex2var_epi8(one, even, two);
                let odds = _mm512_permutex2var_epi8(one, odd, two);
                let begun = _mm512_and_si512(groups(first, evens), groups(second, odds));
                let ended = _mm512_and_si512(groups(third, evens), groups(fourth, odds));
                *word = _mm512_test_epi8_mask(_mm512_permutex2var_epi8(last, before, begun), ended);
                last = begun;
            }
        }
    );

    const fn lanes(mut next: u8, step: u8) -> [u8; 64] {
        let mut lanes = [0; 64];
        let mut rest: &mut [u8] = &mut lanes;
        while let [lane, more @ ..] = rest {
            *lane = next;
            next += step;
            rest = more;
        }
        lanes
    }
}
