//! Finds a value in texts that write parts of it as escapes: percent-encoding, JSON, HTML, quotes of shells and of SQL, line ends
//! and indentation, one inside another, and in UTF-16 and UTF-32.
//!
//! Encoders differ in what they escape, so there are too many forms to search for each. Instead the filter looks for a few
//! bytes of the value that all of them leave alone, or that are written in one of a few ways; from there the text is read in
//! both directions, one character of the value at a time, with every escape that may stand for it.

mod entity;
mod reader;
mod renderings;
mod spots;
#[cfg(test)]
mod tests;
mod width;

use std::collections::BTreeSet;
use std::ops::Range;

use super::anchor::Anchor;
use reader::{DEPTH, INDENT_MAX, Reader};
use width::{Reading, Width};

pub(super) use spots::Extent;

/// Characters that are read in one sweep. More are read only where somebody repeats the beginnings of values to waste time:
/// from then on, only what stands without escapes is found whole; of the rest, the spot's bytes.
const EFFORT_MAX: usize = 1 << 16;
/// The cost of reading escapes, and of looking for their beginnings, in characters without any.
const ESCAPE_COST: usize = 8;
const BACK_COST: usize = 4;
/// The longest escape of one character, in units; line ends may have white space behind them.
const ESCAPE_MAX: usize = 24;

/// A value and the places at which the filter notices it.
#[derive(Debug)]
pub(super) struct EscapedValue {
    value: Vec<u8>,
    spots: Vec<Spot>,
}

/// Bytes of a text by which a value in it is noticed.
#[derive(Debug)]
pub(super) struct Spot {
    /// The filter looks for this.
    pub(super) anchor: Anchor,
    /// The distance from the anchor's beginning to the bytes below.
    skip: usize,
    /// These bytes stand for a part of the value.
    bytes: Vec<u8>,
    part: Range<usize>,
    width: Width,
}

impl EscapedValue {
    pub(super) fn new(value: Vec<u8>, extent: Extent) -> Self {
        let spots = spots::of(&value, extent);
        Self { value, spots }
    }

    /// For a place where the value must stand, found in another way.
    pub(super) fn without_spots(value: Vec<u8>) -> Self {
        Self {
            value,
            spots: Vec::new(),
        }
    }

    /// The end of the value if it stands at `at` of `text`. Adds to `effort` the number of characters that were read.
    pub(super) fn end(&self, text: &[u8], at: usize, effort: &mut usize) -> Option<usize> {
        if *effort > EFFORT_MAX {
            let plain = text.get(at..)?.starts_with(&self.value);
            return plain.then_some(at + self.value.len());
        }
        let reader = Reader {
            text,
            width: Width::Bytes,
        };
        self.forward(reader, 0, at, effort)
    }

    pub(super) fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// The value around a spot whose anchor begins at `at` of `text`, which begins and ends where matches must. Adds to `effort`
    /// the number of characters that were read.
    pub(super) fn find(
        &self,
        spot: &Spot,
        text: &[u8],
        at: usize,
        effort: &mut usize,
    ) -> Option<Range<usize>> {
        let at = at + spot.skip;
        let noticed = text.get(at..)?.starts_with(&spot.bytes);
        noticed.then_some(())?;
        let end = at + spot.bytes.len();
        let plain = self.as_it_stands(spot, text, at);
        if let Some(range) = plain.filter(|it| *effort > EFFORT_MAX || self.is_all(text, it.start))
        {
            return Some(range);
        }
        if *effort > EFFORT_MAX {
            return Some(at..end);
        }
        let reader = Reader {
            text,
            width: spot.width,
        };
        let end = self.forward(reader, spot.part.end, end, effort)?;
        let start = self.backward(reader, spot.part.start, at, effort)?;
        Some(start..end)
    }

    /// The value without any escape.
    fn as_it_stands(&self, spot: &Spot, text: &[u8], at: usize) -> Option<Range<usize>> {
        let plain =
            spot.width == Width::Bytes && self.value.get(spot.part.clone()) == Some(&spot.bytes);
        let start = at.checked_sub(spot.part.start).filter(|_| plain)?;
        let stands = text.get(start..)?.starts_with(&self.value);
        stands.then(|| start..start + self.value.len())
    }

    /// Whether the value that stands at `start` without escapes is no part of one at its ends.
    fn is_all(&self, text: &[u8], start: usize) -> bool {
        let before = start.checked_sub(1).and_then(|at| text.get(at));
        let last = self.value.last().copied().unwrap_or_default();
        before != Some(&b'\\') && !Reader::may_escape(&Reading::byte(0, last))
    }

    /// The furthest end of the rest of the value, which begins at `index`, in the text from `at` on.
    fn forward(
        &self,
        reader: Reader<'_>,
        index: usize,
        at: usize,
        effort: &mut usize,
    ) -> Option<usize> {
        let mut open = BTreeSet::from([(index, at)]);
        let mut furthest = None;
        while let Some((mut index, mut at)) = open.pop_first() {
            loop {
                *effort += 1;
                let rest = self.value.get(index..).unwrap_or_default();
                if rest.is_empty() {
                    furthest = furthest.max(Some(at));
                    break;
                }
                let Some(raw) = reader.raw(at) else { break };
                if Reader::may_escape(&raw) {
                    *effort += ESCAPE_COST;
                    let all = reader.read(at, DEPTH).into_iter();
                    // White space behind the last line's end begins the next line.
                    let fits = |text: &[u8], end: usize| {
                        rest.starts_with(text) && (rest != text || !reader.is_blank_before(end))
                    };
                    let fitting = all.filter(|it| it.end == raw.end || fits(it.text(), it.end));
                    let fitting = fitting.filter(|it| rest.starts_with(it.text()));
                    open.extend(fitting.map(|it| (index + it.text().len(), it.end)));
                    break;
                }
                if !rest.starts_with(raw.text()) {
                    break;
                }
                (index, at) = (index + raw.text().len(), raw.end);
            }
        }
        furthest
    }

    /// The earliest start of the part of the value before `index`, which ends in the text at `at`.
    fn backward(
        &self,
        reader: Reader<'_>,
        index: usize,
        at: usize,
        effort: &mut usize,
    ) -> Option<usize> {
        let mut open = BTreeSet::from([(index, at)]);
        let mut earliest: Option<usize> = None;
        while let Some((index, at)) = open.pop_last() {
            *effort += BACK_COST;
            let before = self.value.get(..index).unwrap_or_default();
            let Some(last) = before.last() else {
                earliest = Some(earliest.map_or(at, |start| start.min(at)));
                continue;
            };
            let longest = ESCAPE_MAX + if *last == b'\n' { INDENT_MAX } else { 0 };
            for units in 1..=longest {
                let Some(start) = at.checked_sub(units * reader.width.bytes()) else {
                    break;
                };
                let Some(raw) = reader.raw(start) else {
                    continue;
                };
                // A character that no escape begins with stands for itself.
                let escapes = Reader::may_escape(&raw);
                if !escapes && raw.end != at {
                    continue;
                }
                let depth = if escapes { DEPTH } else { 0 };
                *effort += if escapes { ESCAPE_COST } else { 0 };
                let all = reader.read(start, depth).into_iter();
                let fitting = all.filter(|it| it.end == at && before.ends_with(it.text()));
                open.extend(fitting.map(|it| (index - it.text().len(), start)));
            }
        }
        earliest
    }
}
