//! Finds runs of digits that are long enough for a payment card number, at memory speed.

use fearless_simd::Level;

/// Bytes that are looked at together.
pub(super) const PAGE: usize = 4096;
/// Bytes behind the page that are looked at, too: a run that begins in the page may end there.
pub(super) const LINE: usize = 64;
/// The least length of a run, with separators.
pub(super) const RUN: usize = 13;
pub(super) const LINES: usize = PAGE / LINE;

/// A page, and the line behind it.
pub(super) type Text = [u8; PAGE + LINE];

/// For each line a bit for each of its bytes: whether a digit stands there that has none before it, and with it at least
/// [`RUN`] digits, and spaces and hyphens that have digits on both sides. Those with fewer digits may be left out.
pub(super) type Starts = [u64; LINES];

/// Writes the beginnings of runs in the page, and tells whether there may be any; otherwise nothing is written. `joined` is
/// whether a digit stands before the page.
pub(super) fn starts(level: Level, text: &Text, joined: bool, starts: &mut Starts) -> bool {
    #[cfg(target_arch = "x86_64")]
    if let Some(cpu) = level.as_avx512() {
        return avx512::look(cpu, text, joined, starts);
    }
    let _ = level;
    one_by_one(text, joined, starts)
}

/// Looks at those lines only that have enough digits together with the next one.
fn one_by_one(text: &Text, joined: bool, starts: &mut Starts) -> bool {
    let (lines, _) = text.as_chunks::<LINE>();
    let mut any = 0;
    let mut joined = joined;
    let mut here = lines.first().map_or(0, count);
    for ((line, next), starts) in lines.iter().zip(lines.iter().skip(1)).zip(starts) {
        let there = count(next);
        *starts = if here + there >= RUN {
            starts_of(line, next, joined)
        } else {
            0
        };
        any |= *starts;
        joined = line.last().is_some_and(u8::is_ascii_digit);
        here = there;
    }
    any != 0
}

/// The number of digits. Written so that the compiler vectorizes it.
#[inline]
fn count(line: &[u8; LINE]) -> usize {
    let (parts, _) = line.as_chunks::<16>();
    let mut counts = [0u8; 16];
    for part in parts {
        counts
            .iter_mut()
            .zip(part)
            .for_each(|(count, byte)| *count += u8::from(byte.wrapping_sub(b'0') < 10));
    }
    counts.iter().map(|&count| usize::from(count)).sum()
}

fn starts_of(line: &[u8; LINE], next: &[u8; LINE], joined: bool) -> u64 {
    let digits = bits(line, |byte| byte.is_ascii_digit());
    let both =
        |holds: fn(u8) -> bool| u128::from(bits(line, holds)) | u128::from(bits(next, holds)) << 64;
    let all = both(|byte| byte.is_ascii_digit());
    let fits = all | (both(|byte| matches!(byte, b' ' | b'-')) & all << 1 & all >> 1);
    let two = fits & fits >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    let runs = eight & eight >> (RUN - 8);
    let runs = u64::try_from(runs & u128::from(u64::MAX)).unwrap_or_default();
    digits & !(digits << 1 | u64::from(joined)) & runs
}

/// A bit for each byte for which `holds` is true, the first in the lowest bit. A multiplication gathers eight bits.
#[inline]
fn bits(line: &[u8; LINE], holds: impl Fn(u8) -> bool) -> u64 {
    let ones = line.map(|byte| u8::from(holds(byte)));
    let (words, _) = ones.as_chunks::<8>();
    let gather =
        |word: &[u8; 8]| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    words
        .iter()
        .rev()
        .fold(0, |bits, word| bits << 8 | gather(word))
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_andnot_si512, _mm512_cmpeq_epi8_mask,
        _mm512_cmpeq_epi32_mask, _mm512_cmpgt_epi64_mask, _mm512_cmplt_epu8_mask, _mm512_max_epu8,
        _mm512_min_epu32, _mm512_or_si512, _mm512_popcnt_epi64, _mm512_set1_epi8,
        _mm512_set1_epi64, _mm512_setzero_si512, _mm512_shldi_epi64, _mm512_shrdi_epi64,
        _mm512_sub_epi8, _mm512_test_epi64_mask,
    };

    use fearless_simd::prelude::*;
    use fearless_simd::{kernel, u8x64, u64x8};

    use super::{LINE, LINES, RUN, Starts, Text};

    /// A bit for each byte: of the line behind the page, too, and of empty ones, so that eight lines can be read from each on.
    type Bits = [u64; LINES + 16];
    /// Two lines with more digits may have a run.
    const LEAST: i64 = 12;
    const _: () = assert!(RUN == 13);

    kernel!(
        pub(super) fn look(cpu: Avx512, text: &Text, joined: bool, starts: &mut Starts) -> bool {
            let (lines, _) = text.as_chunks::<LINE>();
            // A run has four aligned bytes from a space to a nine: then this is the least number that they can be.
            let (space, nine) = (_mm512_set1_epi8(0x20), _mm512_set1_epi8(0x19));
            let mut least = _mm512_set1_epi8(-1);
            for line in lines {
                let bytes: __m512i = u8x64::from_slice(cpu, line).into();
                let beyond = _mm512_max_epu8(_mm512_sub_epi8(bytes, space), nine);
                least = _mm512_min_epu32(least, beyond);
            }
            if _mm512_cmpeq_epi32_mask(least, nine) == 0 {
                return false;
            }
            let mut digits: Bits = [0; LINES + 16];
            let (zero, ten) = (_mm512_set1_epi8(0x30), _mm512_set1_epi8(10));
            // The first of them belongs to the byte before the page.
            let mut before = digits.iter_mut();
            if let Some(first) = before.next() {
                *first = u64::from(joined) << 63;
            }
            for (line, digits) in lines.iter().zip(before) {
                let bytes: __m512i = u8x64::from_slice(cpu, line).into();
                *digits = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, zero), ten);
            }
            let load = |bits: &[u64; 8]| -> __m512i { u64x8::from_slice(cpu, bits).into() };
            let store = |bits: __m512i| -> [u64; 8] {
                let bits: u64x8<_> = bits.simd_into(cpu);
                bits.into()
            };
            // Most pages have too few digits in any two lines.
            let least = _mm512_set1_epi64(LEAST);
            let (here, _) = digits.split_at(1).1.as_chunks::<8>();
            let (next, _) = digits.split_at(2).1.as_chunks::<8>();
            let mut enough = 0;
            for (here, next) in here.iter().zip(next) {
                let here = _mm512_popcnt_epi64(load(here));
                let both = _mm512_add_epi64(here, _mm512_popcnt_epi64(load(next)));
                enough |= _mm512_cmpgt_epi64_mask(both, least);
            }
            if enough == 0 {
                return false;
            }
            let mut separators: Bits = [0; LINES + 16];
            let hyphen = _mm512_set1_epi8(0x2d);
            for (line, separators) in lines.iter().zip(&mut separators) {
                let bytes: __m512i = u8x64::from_slice(cpu, line).into();
                *separators =
                    _mm512_cmpeq_epi8_mask(bytes, space) | _mm512_cmpeq_epi8_mask(bytes, hyphen);
            }
            let mut fits: Bits = [0; LINES + 16];
            let (before, _) = digits.as_chunks::<8>();
            let near = before.iter().zip(here).zip(next);
            let (separators, _) = separators.as_chunks::<8>();
            let (to, _) = fits.as_chunks_mut::<8>();
            for ((((before, here), next), separators), to) in near.zip(separators).zip(to) {
                let here = load(here);
                let left = _mm512_shldi_epi64::<1>(here, load(before));
                let right = _mm512_shrdi_epi64::<1>(here, load(next));
                let joins = _mm512_and_si512(_mm512_and_si512(left, right), load(separators));
                *to = store(_mm512_or_si512(here, joins));
            }
            // Runs of two, four, eight and thirteen.
            macro_rules! longer {
                ($runs:expr, $by:literal) => {{
                    let runs = $runs;
                    let mut longer: Bits = [0; LINES + 16];
                    let (here, _) = runs.as_chunks::<8>();
                    let (next, _) = runs.split_at(1).1.as_chunks::<8>();
                    let (to, _) = longer.as_chunks_mut::<8>();
                    for ((here, next), to) in here.iter().zip(next).zip(to) {
                        let here = load(here);
                        let shifted = _mm512_shrdi_epi64::<$by>(here, load(next));
                        *to = store(_mm512_and_si512(here, shifted));
                    }
                    longer
                }};
            }
            let runs = longer!(longer!(longer!(longer!(fits, 1), 2), 4), 5);
            let (runs, _) = runs.as_chunks::<8>();
            let (before, _) = digits.as_chunks::<8>();
            let (digits, _) = digits.split_at(1).1.as_chunks::<8>();
            let (starts, _) = starts.as_chunks_mut::<8>();
            let all = runs.iter().zip(before).zip(digits).zip(starts);
            let mut any = _mm512_setzero_si512();
            for (((runs, before), digits), starts) in all {
                let digits = load(digits);
                let joined = _mm512_shldi_epi64::<1>(digits, load(before));
                let first = _mm512_andnot_si512(joined, digits);
                let begun = _mm512_and_si512(first, load(runs));
                any = _mm512_or_si512(any, begun);
                *starts = store(begun);
            }
            _mm512_test_epi64_mask(any, any) != 0
        }
    );
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// As the words above say it.
    fn plainly(text: &Text, joined: bool) -> Starts {
        let mut starts = [0; LINES];
        let mut before = joined;
        for at in 0..PAGE {
            let digit = text[at].is_ascii_digit();
            let is_digit = |at: usize| text[at].is_ascii_digit();
            let joins =
                |at: usize| b" -".contains(&text[at]) && is_digit(at - 1) && is_digit(at + 1);
            if digit && !before && (at..at + RUN).all(|at| is_digit(at) || joins(at)) {
                starts[at / LINE] |= 1 << (at % LINE);
            }
            before = digit;
        }
        starts
    }

    /// Without those that are too short for a number.
    fn long(text: &Text, mut starts: Starts) -> Starts {
        for at in 0..PAGE {
            let digits = text[at..at + 24]
                .iter()
                .filter(|byte| byte.is_ascii_digit());
            if digits.count() < RUN {
                starts[at / LINE] &= !(1 << (at % LINE));
            }
        }
        starts
    }

    fn found(level: Level, text: &Text, joined: bool) -> Starts {
        let mut all = [0; LINES];
        if starts(level, text, joined, &mut all) {
            all
        } else {
            [0; LINES]
        }
    }

    proptest! {
        #[test]
        fn all_instructions_find_the_same_runs(
            pieces in vec((1usize..20, prop_oneof![Just(b'7'), Just(b' '), Just(b'-'), Just(b'x'), any::<u8>()]), 300..400),
            joined in any::<bool>(),
        ) {
            let mut text = [0; PAGE + LINE];
            let bytes = pieces.iter().flat_map(|(length, byte)| vec![*byte; *length]);
            text.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
            let wanted = plainly(&text, joined);
            let plain = found(Level::baseline(), &text, joined);
            prop_assert_eq!(long(&text, plain), long(&text, wanted));
            let fast = found(Level::new(), &text, joined);
            prop_assert_eq!(long(&text, fast), long(&text, wanted));
        }
    }
}
