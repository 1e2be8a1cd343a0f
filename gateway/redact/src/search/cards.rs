//! Finds payment card numbers.

mod column;

use std::ops::Range;

use fearless_simd::Level;

use super::digit_runs::{LINE, LINES, PAGE, Text, starts};

const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;
/// The longest number, with its separators.
const LENGTH_MAX: usize = DIGITS_MAX + 4;
/// Groups of digits as they are printed on cards; ISO/IEC 7812 specifies none.
const GROUPS: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3]];

/// Calls `hit` for every payment card number that begins in `range`: a known issuer, a length that fits it, and a right
/// check digit.
pub(super) fn find(
    level: Level,
    bytes: &[u8],
    range: Range<usize>,
    hit: &mut impl FnMut(usize, usize),
) {
    let mut found = [0; LINES];
    for page in range.clone().step_by(PAGE) {
        let joined = page.checked_sub(1).and_then(|before| bytes.get(before));
        let joined = joined.is_some_and(u8::is_ascii_digit);
        let rest = bytes.get(page..).unwrap_or_default();
        let any = if let Some(text) = rest.first_chunk() {
            starts(level, text, joined, &mut found)
        } else {
            starts(level, &padded(rest), joined, &mut found)
        };
        if !any {
            continue;
        }
        let mut effort = column::EFFORT;
        for (line, &starts) in (page..).step_by(LINE).zip(&found) {
            let mut left = starts;
            while left != 0 {
                let start = line + left.trailing_zeros() as usize;
                left &= left - 1;
                if start < range.end
                    && let Some(end) = number_at(bytes, start, &mut effort)
                {
                    hit(start, end);
                }
            }
        }
    }
}

/// The last bytes of a stream, with zeros behind them.
fn padded(rest: &[u8]) -> Text {
    let mut text = [0; PAGE + LINE];
    for (to, &from) in text.iter_mut().zip(rest) {
        *to = from;
    }
    text
}

/// The end of the number that begins at `at`. Takes what it reads around the number from `effort`.
fn number_at(bytes: &[u8], at: usize, effort: &mut usize) -> Option<usize> {
    bytes.get(at).filter(|byte| matches!(byte, b'2'..=b'6'))?;
    let text = bytes.get(at..bytes.len().min(at + LENGTH_MAX + 2))?;
    let before = at
        .checked_sub(1)
        .and_then(|before| bytes.get(before))
        .copied();
    let two_before = at
        .checked_sub(2)
        .and_then(|before| bytes.get(before))
        .copied();
    if !may_begin(two_before, before) {
        return None;
    }
    let plain = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let end = match plain {
        DIGITS_MIN..=DIGITS_MAX => plain,
        ..5 => grouped(text)?,
        _ => return None,
    };
    if plain <= 4 && is_in_table(bytes, at, at + end) {
        return None;
    }
    let (next, after) = (text.get(end).copied(), text.get(end + 1).copied());
    if next.is_some_and(is_word) || is_part(next, after) {
        return None;
    }
    let end = at + end;
    is_card(bytes.get(at..end)?).then_some(())?;
    let in_column = plain > 4 && column::is_of_others(bytes, &(at..end), is_card, effort);
    (!in_column).then_some(end)
}

/// Whether a number may begin after these two bytes.
fn may_begin(two_before: Option<u8>, before: Option<u8>) -> bool {
    match (two_before, before) {
        // Format B of a magnetic stripe (ISO/IEC 7813).
        (Some(b'%'), Some(b'B')) => true,
        // A space in a form; with nothing before it, a telephone number.
        (Some(byte), Some(b'+')) => byte.is_ascii_alphanumeric(),
        (None, Some(b'+')) => false,
        _ => !before.is_some_and(is_word) && !is_part(before, two_before),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether the neighbour joins the number to another one: `0.4111...`, `1234-4111-...`.
fn is_part(neighbour: Option<u8>, beyond: Option<u8>) -> bool {
    matches!(neighbour, Some(b'.' | b'-'))
        && beyond.is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Whether other groups stand before or after it: in a table of numbers, check digits are right now and then.
fn is_in_table(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = bytes.get(..start).unwrap_or_default().iter().rev();
    let after = bytes.get(end..).unwrap_or_default().iter();
    groups(before) + groups(after) >= 2
}

/// The number of groups of digits, decimal or hexadecimal, at the beginning: at most two are counted.
fn groups<'a>(near: impl Iterator<Item = &'a u8>) -> usize {
    let near: Vec<u8> = near.take(14).copied().collect();
    let words = near
        .split(|byte| byte.is_ascii_whitespace() || *byte == b'-')
        .filter(|word| !word.is_empty());
    let is_group = |word: &&[u8]| {
        (3..=5).contains(&word.len())
            && word.iter().all(u8::is_ascii_hexdigit)
            && word.iter().any(u8::is_ascii_digit)
    };
    words.take(2).take_while(is_group).count()
}

/// The length of a number in groups with the same separator between all of them.
fn grouped(text: &[u8]) -> Option<usize> {
    let separator = *text.get(4).filter(|byte| b" -".contains(byte))?;
    // The longer grouping first, where one begins as another.
    GROUPS
        .iter()
        .rev()
        .find_map(|groups| fits(text, groups, separator))
}

fn fits(text: &[u8], groups: &[usize], separator: u8) -> Option<usize> {
    let mut at = 0;
    for (index, &length) in groups.iter().enumerate() {
        if index > 0 {
            text.get(at).filter(|&&byte| byte == separator)?;
            at += 1;
        }
        let group = text.get(at..at + length)?;
        group.iter().all(u8::is_ascii_digit).then_some(())?;
        at += length;
    }
    let more = text.get(at).is_some_and(u8::is_ascii_digit);
    (!more).then_some(at)
}

/// Whether these digits, with any separators, are a card number's.
fn is_card(text: &[u8]) -> bool {
    let mut digits = [0; DIGITS_MAX];
    let mut length = 0;
    for byte in text.iter().filter(|byte| byte.is_ascii_digit()) {
        let Some(digit) = digits.get_mut(length) else {
            return false;
        };
        (*digit, length) = (byte - b'0', length + 1);
    }
    let number = digits.get(..length).unwrap_or_default();
    let repeated = number
        .windows(2)
        .filter(|pair| pair.first() == pair.last())
        .count();
    issued(number) && luhn(number) && repeated + 1 < number.len()
}

/// Whether an issuer uses numbers with this beginning and length.
fn issued(number: &[u8]) -> bool {
    let leading = |digits: usize| {
        number
            .iter()
            .take(digits)
            .fold(0u32, |all, &digit| all * 10 + u32::from(digit))
    };
    match number.len() {
        13 => leading(1) == 4,
        14 => diners(leading(2), leading(3)),
        15 => matches!(leading(2), 34 | 37) || diners(leading(2), leading(3)),
        16 => {
            leading(1) == 4
                || matches!(leading(2), 51..=55)
                || matches!(leading(4), 2221..=2720)
                || long(leading)
        }
        19 => leading(1) == 4 || long(leading),
        17 | 18 => long(leading),
        _ => false,
    }
}

fn diners(two: u32, three: u32) -> bool {
    matches!(two, 36 | 38 | 39) || matches!(three, 300..=305)
}

/// Discover, JCB, `UnionPay` and Diners use numbers of 16 to 19 digits.
fn long(leading: impl Fn(usize) -> u32) -> bool {
    matches!(leading(2), 62 | 65)
        || matches!(leading(3), 644..=649)
        || matches!(leading(4), 6011 | 3528..=3589)
        || diners(leading(2), leading(3))
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(number: &[u8]) -> bool {
    let sum = number
        .iter()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(|(&digit, double)| {
            let weighted = u32::from(digit) * if double { 2 } else { 1 };
            weighted / 10 + weighted % 10
        });
    sum.sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn found(text: &str) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        let range = 0..text.len();
        find(Level::new(), text.as_bytes(), range, &mut |start, end| {
            all.push((start, end));
        });
        all
    }

    #[test]
    fn finds_a_number_at_any_offset() {
        for before in 0..70 {
            for number in ["4111 1111 1111 1111", "4222222222222", "3782-822463-10005"] {
                let text = format!("{} {number} tail", "x".repeat(before));
                assert_eq!(
                    found(&text),
                    [(before + 1, before + 1 + number.len())],
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn ignores_parts_of_numbers_and_wrong_check_digits() {
        for text in [
            "4111 1111 1111 1112",
            "a4111111111111111",
            "0.4111111111111111",
            "41111111111111110",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
