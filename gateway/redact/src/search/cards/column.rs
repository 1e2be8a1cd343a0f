//! Tells columns of long numbers, in which check digits are right now and then, from columns of card numbers.

use std::ops::Range;

/// Bytes before and after a number in which its column is looked at, and numbers that are looked at on each side.
const AROUND: usize = 2048;
const NUMBERS_MAX: usize = 16;
/// As long as the shortest card number. Longer runs of digits are passed over.
const LONG: Range<usize> = 13..65;
/// So many other numbers must stand in the column, and so many for each card number: of numbers that begin as cards do, every
/// tenth has a right check digit.
const OTHERS_MIN: usize = 4;
const OTHERS_FOR_A_CARD: usize = 3;
/// The part of a record before a number that is compared.
const BEFORE_MAX: usize = 256;
/// A number behind one of these is never left alone: among placeholders for cards it may be the one that was forgotten.
const CARD_WORDS: [&[u8]; 12] = [
    b"card", b"pan", b"visa", b"master", b"maestro", b"amex", b"cc", b"credit", b"debit", b"pay",
    b"acct", b"account",
];

/// Bytes that may be read for the numbers of a page. Further numbers are hidden, whatever stands around them.
pub(super) const EFFORT: usize = 64 << 10;

/// Whether the number at `span`, which could be a card's, stands in a column of numbers as long that are mostly no cards'.
/// Two numbers stand in the same column if the same stands before both in their records: lines, or what a bracket opens.
/// Takes the bytes that it reads from `effort`.
pub(super) fn is_of_others(
    bytes: &[u8],
    span: &Range<usize>,
    is_card: impl Fn(&[u8]) -> bool,
    effort: &mut usize,
) -> bool {
    if *effort == 0 {
        return false;
    }
    let mut read = |length: usize| *effort = effort.saturating_sub(length);
    let mut before = Before::new(bytes, span.start);
    let own: Vec<Item<'_>> = before.by_ref().collect();
    read(span.start - before.at);
    let record = bytes.get(before.at..span.start).unwrap_or_default();
    if own.contains(&Item::Cut) || speaks_of_cards(record) {
        return false;
    }
    let (mut cards, mut others) = (0, 0);
    // A column of cards is known by the first ones.
    let mut count = |number: Range<usize>| {
        let mut before = Before::new(bytes, number.start);
        let is_same = before.by_ref().eq(own.iter().copied());
        read(number.start - before.at);
        if is_same {
            let digits = bytes.get(number).unwrap_or_default();
            *(if is_card(digits) {
                &mut cards
            } else {
                &mut others
            }) += 1;
        }
        cards < 4 || cards <= others
    };
    let mut earlier = Numbers::new(bytes, span.start.saturating_sub(AROUND)..span.start);
    let mut later = Numbers::new(bytes, span.end..bytes.len().min(span.end + AROUND));
    let _ = earlier.by_ref().rev().take(NUMBERS_MAX).all(&mut count)
        && later.by_ref().take(NUMBERS_MAX).all(&mut count);
    read(span.start - earlier.left.end + later.left.start - span.end);
    others >= OTHERS_MIN && others >= OTHERS_FOR_A_CARD * cards
}

fn speaks_of_cards(record: &[u8]) -> bool {
    let record = record.to_ascii_lowercase();
    CARD_WORDS
        .iter()
        .any(|word| memchr::memmem::find(&record, word).is_some())
}

/// The long runs of digits of a part of the text, from either end.
struct Numbers<'b> {
    bytes: &'b [u8],
    left: Range<usize>,
}

impl<'b> Numbers<'b> {
    fn new(bytes: &'b [u8], left: Range<usize>) -> Self {
        Self { bytes, left }
    }

    fn is_digit(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(u8::is_ascii_digit)
    }
}

impl Iterator for Numbers<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while !self.left.is_empty() {
            let rest = self.bytes.get(self.left.clone())?.iter();
            let start = self.left.start + rest.take_while(|byte| !byte.is_ascii_digit()).count();
            let digits = self.bytes.get(start..self.left.end)?.iter();
            let end = start + digits.take_while(|byte| byte.is_ascii_digit()).count();
            self.left.start = end;
            // The part may end within a number.
            if LONG.contains(&(end - start)) && !self.is_digit(end) {
                return Some(start..end);
            }
        }
        None
    }
}

impl DoubleEndedIterator for Numbers<'_> {
    fn next_back(&mut self) -> Option<Range<usize>> {
        while !self.left.is_empty() {
            let rest = self.bytes.get(self.left.clone())?.iter().rev();
            let end = self.left.end - rest.take_while(|byte| !byte.is_ascii_digit()).count();
            let digits = self.bytes.get(self.left.start..end)?.iter().rev();
            let start = end - digits.take_while(|byte| byte.is_ascii_digit()).count();
            self.left.end = start;
            let whole = !start
                .checked_sub(1)
                .is_some_and(|before| self.is_digit(before));
            if LONG.contains(&(end - start)) && whole {
                return Some(start..end);
            }
        }
        None
    }
}

/// A part of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item<'b> {
    Word(&'b [u8]),
    /// A word with digits.
    Number,
    /// A quoted value.
    Text,
    /// A key in quotes.
    Key(&'b [u8]),
    Sign(u8),
    /// The record begins further before.
    Cut,
}

/// The parts of a record before `at`, the last one first. Blanks and signs of numbers are passed over.
struct Before<'b> {
    bytes: &'b [u8],
    at: usize,
    least: usize,
    /// Behind the first quote a number stands, and no value ends there.
    is_first: bool,
    ended: bool,
}

impl<'b> Before<'b> {
    fn new(bytes: &'b [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            least: at.saturating_sub(BEFORE_MAX),
            is_first: true,
            ended: false,
        }
    }

    fn previous(&self) -> Option<u8> {
        self.bytes.get(self.least..self.at)?.last().copied()
    }

    fn quoted(&mut self, quote: u8) -> Item<'b> {
        let closing = self.at - 1;
        let within = self.bytes.get(self.least..closing).unwrap_or_default();
        let opening = memchr::memrchr(quote, within).filter(|_| !self.is_first);
        let Some(opening) = opening.map(|length| self.least + length) else {
            self.at = closing;
            return Item::Sign(quote);
        };
        self.at = opening;
        if self.bytes.get(closing + 1) == Some(&b':') {
            Item::Key(self.bytes.get(opening + 1..closing).unwrap_or_default())
        } else {
            Item::Text
        }
    }

    fn word(&mut self) -> Item<'b> {
        let end = self.at;
        while self.previous().is_some_and(is_word) {
            self.at -= 1;
        }
        let word = self.bytes.get(self.at..end).unwrap_or_default();
        if word.iter().any(u8::is_ascii_digit) {
            Item::Number
        } else {
            Item::Word(word)
        }
    }
}

impl<'b> Iterator for Before<'b> {
    type Item = Item<'b>;

    fn next(&mut self) -> Option<Item<'b>> {
        while matches!(self.previous(), Some(b' ' | b'\t' | b'-' | b'+')) {
            self.at -= 1;
        }
        if self.ended {
            return None;
        }
        let Some(last) = self.previous() else {
            self.ended = true;
            return (self.at > 0).then_some(Item::Cut);
        };
        let item = match last {
            b'\n' | b'\r' | 0 => {
                self.ended = true;
                return None;
            }
            b'"' | b'\'' => self.quoted(last),
            byte if is_word(byte) => self.word(),
            _ => {
                self.at -= 1;
                // What has a name goes on with it.
                let named = self
                    .previous()
                    .is_some_and(|byte| is_word(byte) || b":=\"'".contains(&byte));
                self.ended = matches!(last, b'(' | b'[' | b'{') && !named;
                Item::Sign(last)
            }
        };
        self.is_first = false;
        Some(item)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::super::is_card;
    use super::super::tests::found;
    use super::*;

    /// Sixteen digits; with `card` the check digit is right.
    fn number(index: usize, card: bool) -> String {
        let body = format!("4{:014}", index * 7_919 * 104_729);
        let digit = (b'0'..=b'9').find(|&digit| {
            let whole = format!("{body}{}", char::from(digit));
            !found(&whole).is_empty()
        });
        let digit = digit.unwrap();
        let wrong = if digit == b'9' { b'0' } else { digit + 1 };
        format!("{body}{}", char::from(if card { digit } else { wrong }))
    }

    /// Twelve lines, of which every `nth` has a card number.
    fn lines(nth: usize, line: impl Fn(usize, &str) -> String) -> String {
        let lines = (0..12).map(|index| line(index, &number(index + 1, index % nth == nth / 2)));
        lines.collect()
    }

    #[test]
    fn leaves_columns_of_other_numbers_alone() {
        let tables: [fn(usize, &str) -> String; 5] = [
            |index, number| format!("<U4E{index:02}> <U000200{index}>;IGNORE # {number}\n"),
            |_, number| format!("        {number},\n"),
            |index, number| format!("({number},{index},\"NAME OF {index}\"),"),
            |index, number| format!("[\"name {index}\",false,{number}],"),
            |index, number| format!("{{\"name\":\"n{index}\",\"hash\":\"{number}\"}},"),
        ];
        for table in tables {
            let text = lines(12, table);
            assert_eq!(found(&text), [], "{text}");
            // In a column of cards all of them are found.
            let text = lines(1, table);
            assert_eq!(found(&text).len(), 12, "{text}");
        }
    }

    #[test]
    fn finds_the_card_among_other_numbers() {
        let logs: [fn(usize, &str) -> String; 4] = [
            // What stands before it tells what it is.
            |_, number| format!("card={number} ok\n"),
            |_, number| format!("{{\"pan\":\"{number}\"}},"),
            // A name of its own.
            |index, number| match index {
                6 => format!("order {number}\n"),
                _ => format!("trace {number}\n"),
            },
            // In each record after other numbers.
            |index, number| match index {
                6 => format!("1786694400123456,1786694400123457,{number}\n"),
                _ => format!("{number},1786694400123457,17\n"),
            },
        ];
        for log in logs {
            let text = lines(12, log);
            assert_eq!(found(&text).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_few_numbers_are_no_column() {
        let text = lines(4, |index, number| match index {
            0..4 => format!("{number}\n"),
            _ => String::new(),
        });
        assert_eq!(found(&text).len(), 1, "{text}");
    }

    #[test]
    fn hides_a_number_if_too_much_was_read_before() {
        let text = lines(12, |_, number| format!("{number}\n"));
        let card = number(7, true);
        let start = text.find(&card).unwrap();
        let alone = |mut effort| {
            let span = start..start + card.len();
            is_of_others(text.as_bytes(), &span, is_card, &mut effort)
        };
        assert!(alone(EFFORT));
        assert!(!alone(0));
    }

    #[test]
    fn the_result_depends_on_the_text_nearby_alone() {
        let text = lines(12, |_, number| format!("{number}\n"));
        let numbers = text.len();
        let text = format!("{text}{}4111111111111111\n", "x\n".repeat(1200));
        assert_eq!(found(&text), [(numbers + 2400, numbers + 2416)]);
    }
}
