//! Rules out most grams 64 at a time, on CPUs with AVX-512.

use std::fmt;

use fearless_simd::Level;

use super::anchor::{GRAM, frequency};
use super::bytes::ByteSet;

/// Bytes that are tested at once.
pub(super) const PAGE: usize = 4096;
/// Offsets that are written at once.
const LANES: usize = 32;
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

/// Even offsets in a page that may hold a gram.
#[derive(Debug)]
pub(super) struct Candidates {
    /// The first `count` of them, and room for the last that are written at once.
    offsets: [u16; PAGE / 2 + LANES],
    count: usize,
}

impl Sieve {
    pub(super) fn new(level: Level) -> Self {
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
        let mut then = self.frequencies;
        for (place, (set, table)) in sets.iter().zip(self.tables.iter()).enumerate() {
            for byte in set.iter() {
                let (known, new) = (groups_of(table, byte), frequency(byte));
                for (group, then) in then.iter_mut().enumerate() {
                    if let Some(then) = then.get_mut(place)
                        && known >> group & 1 == 0
                    {
                        *then += new;
                    }
                }
            }
        }
        let product = |of: &[f64; GRAM]| of.iter().product::<f64>();
        let costs = then.into_iter().zip(&self.frequencies).enumerate();
        let costs = costs.map(|(group, (then, now))| (group, then, product(&then) - product(now)));
        costs.min_by(|(.., a), (.., b)| a.total_cmp(b))
    }

    /// Whether this CPU can tell [`Sieve::candidates`].
    pub(super) fn works(&self) -> bool {
        cfg!(target_arch = "x86_64") && self.level.as_avx512().is_some()
    }

    /// The offsets of the page that may hold a gram. The page's last gram, which ends beyond it, is not tested. On CPUs on which
    /// the sieve does not work there are none.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn candidates<'c>(&self, page: &[u8; PAGE], room: &'c mut Candidates) -> &'c [u16] {
        room.count = 0;
        if let Some(cpu) = self.level.as_avx512() {
            avx512::look(cpu, &self.tables, page, room);
        }
        room.offsets.get(..room.count).unwrap_or_default()
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[expect(clippy::unused_self, reason = "as on x86-64")]
    pub(super) fn candidates<'c>(
        &self,
        _page: &[u8; PAGE],
        _room: &'c mut Candidates,
    ) -> &'c [u16] {
        &[]
    }
}

impl Default for Candidates {
    fn default() -> Self {
        Self {
            offsets: [0; PAGE / 2 + LANES],
            count: 0,
        }
    }
}

/// The bytes at each place of the grams.
fn sets_of(grams: &[u32]) -> [ByteSet; GRAM] {
    let mut sets = [ByteSet::default(); GRAM];
    for gram in grams {
        let bytes = gram.to_le_bytes();
        sets.iter_mut()
            .zip(bytes)
            .for_each(|(set, byte)| set.insert(byte));
    }
    sets
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
        __m512i, _mm512_add_epi16, _mm512_and_si512, _mm512_mask_blend_epi8,
        _mm512_maskz_compress_epi16, _mm512_movepi8_mask, _mm512_permutex2var_epi8,
        _mm512_set1_epi16, _mm512_setzero_si512, _mm512_test_epi8_mask,
    };

    use fearless_simd::prelude::*;
    use fearless_simd::{kernel, u8x64, u16x32};

    use super::{Candidates, GRAM, LANES, PAGE, Table};

    /// Blocks of two lines in a page.
    const BLOCKS: usize = PAGE / 128;

    /// Of two vectors one after the other: the even bytes, the odd ones, and those from the first one's last on.
    const EVEN: [u8; 64] = lanes(0, 2);
    const ODD: [u8; 64] = lanes(1, 2);
    const BEFORE: [u8; 64] = lanes(63, 1);
    /// The offsets of a half of a block, from its beginning.
    const OFFSETS: [u16; LANES] = offsets();

    kernel!(
        /// A gram that begins with the last two bytes of a block is told with the next one, which has its second half.
        pub(super) fn look(
            cpu: Avx512,
            tables: &[Table; GRAM],
            page: &[u8; PAGE],
            candidates: &mut Candidates,
        ) {
            let load = |bytes: &[u8; 64]| -> __m512i { u8x64::from_slice(cpu, bytes).into() };
            let quarters = |[a, b, c, d]: &Table| [load(a), load(b), load(c), load(d)];
            let [first, second, third, fourth] = tables;
            let (first, second) = (quarters(first), quarters(second));
            let (third, fourth) = (quarters(third), quarters(fourth));
            let (even, odd, before) = (load(&EVEN), load(&ODD), load(&BEFORE));
            let offsets: __m512i = u16x32::from_slice(cpu, &OFFSETS).into();
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
            // A bit for each gram of a block, and for each block that has any.
            let mut words = [0u64; BLOCKS];
            let mut some = 0u32;
            for (([one, two], word), index) in blocks.iter().zip(&mut words).zip(0..) {
                let (one, two) = (load(one), load(two));
                let evens = _mm512_permutex2var_epi8(one, even, two);
                let odds = _mm512_permutex2var_epi8(one, odd, two);
                let begun = _mm512_and_si512(groups(first, evens), groups(second, odds));
                let ended = _mm512_and_si512(groups(third, evens), groups(fourth, odds));
                *word = _mm512_test_epi8_mask(_mm512_permutex2var_epi8(last, before, begun), ended);
                some |= u32::from(*word != 0) << index;
                last = begun;
            }
            let mut count = 0;
            while some != 0 {
                let index = u8::try_from(some.trailing_zeros()).unwrap_or_default();
                some &= some - 1;
                let word = words.get(usize::from(index)).copied().unwrap_or_default();
                let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
                let halves = [[a, b, c, d], [e, f, g, h]].map(u32::from_le_bytes);
                // A page's first bit is never set: no gram begins before it.
                let begins = i16::from(index) * 128 - 2;
                for (mask, begins) in halves.into_iter().zip([begins, begins + 64]) {
                    let there = _mm512_add_epi16(offsets, _mm512_set1_epi16(begins));
                    let there: u16x32<_> = _mm512_maskz_compress_epi16(mask, there).simd_into(cpu);
                    let room = candidates.offsets.get_mut(count..);
                    if let Some(room) = room.and_then(<[u16]>::first_chunk_mut::<LANES>) {
                        *room = there.into();
                        count += mask.count_ones() as usize;
                    }
                }
            }
            candidates.count = count;
        }
    );

    const fn offsets() -> [u16; LANES] {
        let mut offsets = [0; LANES];
        let (mut next, mut rest): (u16, &mut [u16]) = (0, &mut offsets);
        while let [lane, more @ ..] = rest {
            *lane = next;
            next += 2;
            rest = more;
        }
        offsets
    }

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
