//! Reads a text one character at a time, with every escape that may stand for one, also inside other escapes.

use std::ops::Range;

use super::entity;
use super::width::{Reading, Width, join_surrogates};

/// Escapes inside escapes that are read: JSON in JSON, or a percent sign that is encoded again.
pub(super) const DEPTH: u32 = 3;
/// White space that may stand before a value's next line.
pub(super) const INDENT_MAX: usize = 64;

/// A text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'t> {
    pub(super) text: &'t [u8],
    pub(super) width: Width,
}

impl Reader<'_> {
    /// What stands at `at` as itself.
    pub(super) fn raw(&self, at: usize) -> Option<Reading> {
        self.width.read(self.text, at)
    }

    /// Whether white space ends at `end`.
    pub(super) fn is_blank_before(&self, end: usize) -> bool {
        let last = end
            .checked_sub(self.width.bytes())
            .and_then(|at| self.raw(at));
        matches!(last.and_then(|last| last.single()), Some(b' ' | b'\t'))
    }

    /// Whether an escape may begin with this character.
    pub(super) fn may_escape(first: &Reading) -> bool {
        first.single().is_some_and(|byte| {
            matches!(
                byte,
                b'%' | b'\\' | b'&' | b'\'' | b'"' | b'+' | b'\r' | b'\n'
            )
        })
    }

    /// All that may stand at `at`: the character itself, and what it begins an escape for.
    pub(super) fn read(&self, at: usize, depth: u32) -> Vec<Reading> {
        let mut all: Vec<Reading> = self.raw(at).into_iter().collect();
        let Some(first) = all.first().copied().filter(Self::may_escape) else {
            return all;
        };
        let next = self.raw(first.end);
        let goes_on = next.as_ref().is_some_and(Self::may_escape);
        for inner in 0..depth {
            for index in 0..all.len() {
                let Some(reading) = all.get(index).copied() else {
                    break;
                };
                if let Some(byte) = reading.single() {
                    self.escapes(byte, at..reading.end, inner, &mut all);
                }
            }
            // Nothing that stands for the beginning of another escape.
            if !goes_on && !all.iter().skip(1).any(Self::may_escape) {
                break;
            }
        }
        all
    }

    /// Adds what `first`, which is written at `place`, and what follows it stand for.
    fn escapes(&self, first: u8, place: Range<usize>, depth: u32, all: &mut Vec<Reading>) {
        let at = place.end;
        let mut add = |reading: Option<Reading>| {
            if let Some(reading) = reading.filter(|reading| !all.contains(reading)) {
                all.push(reading);
            }
        };
        match first {
            b'+' => add(Some(Reading::byte(at, b' '))),
            b'%' => add(self.percent(at, depth)),
            b'\\' => add(self.backslash(at, depth)),
            b'&' => add(self.entity(at, depth)),
            b'"' => add(self.doubled(first, place)),
            b'\'' => {
                add(self.doubled(first, place));
                for rest in [&b"\\''"[..], b"\"'\"'"] {
                    let end = self.skip(at, depth, rest);
                    add(end.map(|end| Reading::byte(end, first)));
                }
            }
            b'\r' => {
                if let Some(end) = self.skip(at, depth, b"\n") {
                    add(Some(Reading::byte(end, b'\n')));
                    self.indents(end).for_each(|reading| add(Some(reading)));
                }
            }
            b'\n' => self.indents(at).for_each(|reading| add(Some(reading))),
            _ => {}
        }
    }

    /// A quote that is written twice in the same way.
    fn doubled(&self, quote: u8, place: Range<usize>) -> Option<Reading> {
        let end = place.end + place.len();
        let again = self.text.get(place.end..end)?;
        (self.text.get(place) == Some(again)).then(|| Reading::byte(end, quote))
    }

    /// Line ends with the white space behind them.
    fn indents(&self, at: usize) -> impl Iterator<Item = Reading> {
        let mut end = at;
        std::iter::from_fn(move || {
            let next = self.raw(end)?;
            matches!(next.single()?, b' ' | b'\t').then_some(())?;
            end = next.end;
            Some(Reading::byte(end, b'\n'))
        })
        .take(INDENT_MAX)
    }

    /// `%26`, and JavaScript's `%u0026`.
    fn percent(&self, at: usize, depth: u32) -> Option<Reading> {
        if let Some(digits) = self.skip(at, depth, b"u") {
            return self.unit(digits, depth, b"%u");
        }
        self.hex_byte(at, depth)
    }

    fn backslash(&self, at: usize, depth: u32) -> Option<Reading> {
        let raw = self.raw(at)?;
        // A quote may end a string, and white space may follow a line's end.
        let next = match raw.single()? {
            b'"' | b'\'' | b'+' | b'\r' | b'\n' => raw,
            _ => *self.read(at, depth).last()?,
        };
        let end = next.end;
        let control = |byte| Some(Reading::byte(end, byte));
        match next.single()? {
            b'n' => control(b'\n'),
            b'r' => control(b'\r'),
            b't' => control(b'\t'),
            b'b' => control(8),
            b'f' => control(12),
            b'v' => control(11),
            b'a' => control(7),
            b'x' => self.hex_byte(end, depth),
            b'u' => self
                .braced(end, depth)
                .or_else(|| self.unit(end, depth, b"\\u")),
            b'U' => {
                let (number, end) = self.number(end, depth, 16, 8)?;
                char::from_u32(number).map(|character| Reading::character(end, character))
            }
            b'0'..=b'7' => {
                let (number, end) = self.number(at, depth, 8, 3)?;
                u8::try_from(number)
                    .ok()
                    .map(|byte| Reading::byte(end, byte))
            }
            byte if byte.is_ascii_alphanumeric() => None,
            byte => control(byte),
        }
    }

    /// `{1f600}`.
    fn braced(&self, at: usize, depth: u32) -> Option<Reading> {
        let (mut number, mut at) = (0u32, self.skip(at, depth, b"{")?);
        for _ in 0..8 {
            if let Some(end) = self.skip(at, depth, b"}") {
                let character = char::from_u32(number)?;
                return Some(Reading::character(end, character));
            }
            let (digit, end) = self.digit(at, depth, 16)?;
            (number, at) = (number << 4 | digit, end);
        }
        None
    }

    /// Four hex digits: a unit of UTF-16, and another one behind `again` if that is needed.
    fn unit(&self, at: usize, depth: u32, again: &[u8]) -> Option<Reading> {
        let (first, end) = self.number(at, depth, 16, 4)?;
        if let Some(character) = char::from_u32(first) {
            return Some(Reading::character(end, character));
        }
        let (second, end) = self.number(self.skip(end, depth, again)?, depth, 16, 4)?;
        join_surrogates(first, second).map(|character| Reading::character(end, character))
    }

    fn hex_byte(&self, at: usize, depth: u32) -> Option<Reading> {
        let (number, end) = self.number(at, depth, 16, 2)?;
        u8::try_from(number)
            .ok()
            .map(|byte| Reading::byte(end, byte))
    }

    /// `amp;`, `#38;`, `#x26;`.
    fn entity(&self, at: usize, depth: u32) -> Option<Reading> {
        if let Some(at) = self.skip(at, depth, b"#") {
            let hex = self
                .skip(at, depth, b"x")
                .or_else(|| self.skip(at, depth, b"X"));
            let (radix, mut at) = hex.map_or((10, at), |at| (16, at));
            let mut number = 0u32;
            for count in 0..9 {
                let end = self.skip(at, depth, b";").filter(|_| count > 0);
                if let Some(end) = end {
                    let character = char::from_u32(number)?;
                    return Some(Reading::character(end, character));
                }
                let (digit, next) = self.digit(at, depth, radix)?;
                number = number.checked_mul(radix)?.checked_add(digit)?;
                at = next;
            }
            return None;
        }
        let (mut name, mut at) = (Vec::new(), at);
        while name.len() <= entity::NAME_MAX {
            let next = self.raw(at)?;
            match next.single()? {
                byte if byte.is_ascii_alphanumeric() => name.push(byte),
                _ => {
                    let end = self.skip(at, depth, b";")?;
                    let character = entity::named(&name)?;
                    return Some(Reading::character(end, character));
                }
            }
            at = next.end;
        }
        None
    }

    /// The end of `wanted`, if that stands at `at`.
    fn skip(&self, at: usize, depth: u32, wanted: &[u8]) -> Option<usize> {
        wanted.iter().try_fold(at, |at, byte| {
            let raw = self.raw(at)?;
            if raw.single() == Some(*byte) && (depth == 0 || *byte != b'\\') {
                return Some(raw.end);
            }
            // Of several readings the last one has the most escapes resolved.
            let all = self.read(at, depth);
            let mut found = all.iter().rev();
            found
                .find(|reading| reading.single() == Some(*byte))
                .map(|reading| reading.end)
        })
    }

    fn number(&self, at: usize, depth: u32, radix: u32, digits: u32) -> Option<(u32, usize)> {
        (0..digits).try_fold((0u32, at), |(number, at), _| {
            let (digit, end) = self.digit(at, depth, radix)?;
            Some((number.checked_mul(radix)?.checked_add(digit)?, end))
        })
    }

    fn digit(&self, at: usize, depth: u32, radix: u32) -> Option<(u32, usize)> {
        let value = |reading: &Reading| {
            let digit = char::from(reading.single()?).to_digit(radix)?;
            Some((digit, reading.end))
        };
        let raw = self.raw(at)?;
        value(&raw).or_else(|| self.read(at, depth).iter().find_map(value))
    }
}
