//! Searches a stream, segment by segment.

use std::cmp::Reverse;
use std::ops::Range;

use gateway_core::Place;

use super::bytes::ByteSet;
use super::expression::{Attempt, Expression};
use super::matcher::{Matcher, REACH, Sweep};
use super::required::BEFORE_MAX;
use super::tally::{Count, Tally};

/// Streams are searched in segments of this size, counted from the beginning, so that matches do not depend on the pieces in
/// which the bytes come.
pub(super) const SEGMENT: usize = 1 << 16;
/// Bytes that must follow a segment before it is searched: the longest match that begins in it, and what a look-around reads
/// behind that.
pub(super) const AHEAD: usize = REACH + 8;
/// A match of an expression whose piece is found in a segment begins at most so far before the segment.
const EARLIER: usize = BEFORE_MAX + 64;
/// Bytes of failed attempts in one segment after which the whole segment is searched instead, in linear time.
const WASTE_MAX: usize = 1 << 20;

/// Searches one stream and collects the spans to mask.
#[derive(Debug)]
pub(super) struct Scanner<'r> {
    matcher: &'r Matcher,
    place: Place,
    sweep: Sweep,
    /// The state of each expression.
    states: Vec<ExpressionState>,
    /// The end of each rule's last match, by its index in the plan.
    hidden: Vec<usize>,
    /// The spans to mask, in the order in which they are found.
    pub(super) spans: Vec<Range<usize>>,
    pub(super) tally: Tally,
}

/// An expression's progress in the stream.
#[derive(Debug, Clone, Default)]
struct ExpressionState {
    /// Places to try near the last segment's end: earlier ones may still be found.
    waiting: Vec<Range<usize>>,
    /// The end of its last match.
    end: usize,
    /// The bytes with which a match that is longer than the bound goes on.
    open: Option<ByteSet>,
    wasted: usize,
}

/// A part of the stream, with the bytes around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'b> {
    /// The bytes in memory.
    pub(super) bytes: &'b [u8],
    /// Their position in the stream.
    pub(super) base: usize,
    /// The segment, by positions in the stream.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether the stream ends with this segment.
    pub(super) last: bool,
}

impl<'r> Scanner<'r> {
    pub(super) fn new(matcher: &'r Matcher, place: Place) -> Self {
        let states = vec![ExpressionState::default(); matcher.expressions().len()];
        let sweep = Sweep::default();
        Self {
            matcher,
            place,
            sweep,
            states,
            hidden: Vec::new(),
            spans: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// A scanner for the next stream.
    pub(super) fn restarted(self) -> Self {
        Self::new(self.matcher, self.place)
    }

    /// Searches the next segment.
    pub(super) fn segment(&mut self, segment: Segment<'_>) {
        let Segment {
            bytes,
            base,
            from,
            to,
            ..
        } = segment;
        let range = from - base..to - base;
        self.matcher
            .sweep(bytes, range, self.place, &mut self.sweep);
        for (index, starts) in self.sweep.starts.drain(..) {
            if let Some(state) = self.states.get_mut(index) {
                state.waiting.push(base + starts.start..base + starts.end);
            }
        }
        let matcher = self.matcher;
        for (expression, state) in matcher.expressions().iter().zip(&mut self.states) {
            state.advance(expression, segment, &mut self.sweep.found);
        }
        self.record(base, bytes);
    }

    fn record(&mut self, base: usize, bytes: &[u8]) {
        // The longer of two that begin together first: the other is a part of it.
        self.sweep
            .found
            .sort_unstable_by_key(|&(rule, start, end)| (start, Reverse(end), rule));
        let describer = self.matcher.describer();
        let mut matches = Vec::new();
        for (rule, start, end) in self.sweep.found.drain(..) {
            let span = start..end;
            let (start, end) = (base + start, base + end);
            if self.hidden.len() <= rule {
                self.hidden.resize(rule + 1, 0);
            }
            let Some(hidden) = self.hidden.get_mut(rule) else {
                continue;
            };
            // Found by two of its anchors, or part of another match of the same rule.
            if end <= *hidden {
                self.spans.push(start..end);
                continue;
            }
            let count = Count {
                masks: 1,
                bytes: (end - start.max(*hidden)) as u64,
            };
            *hidden = end;
            self.tally.add(rule, self.place, count);
            self.spans.push(start..end);
            if describer.is_some() {
                matches.push((rule, span));
            }
        }
        if let Some(describer) = describer {
            let sightings = &mut self.tally.sightings;
            describer.describe(bytes, &matches, self.place, sightings);
        }
    }
}

impl ExpressionState {
    fn advance(
        &mut self,
        expression: &Expression,
        segment: Segment<'_>,
        found: &mut Vec<(usize, usize, usize)>,
    ) {
        let mut add = |start: usize, end: usize| {
            found.push((expression.rule, start - segment.base, end - segment.base));
        };
        self.wasted = 0;
        self.extend_open(segment, &mut add);
        if expression.pieces.is_none() {
            self.search(expression, segment, segment.from, &mut add);
            return;
        }
        let ready = if segment.last {
            usize::MAX
        } else {
            segment.to - EARLIER
        };
        self.waiting.sort_unstable_by_key(|starts| starts.start);
        let mut at = 0;
        for starts in std::mem::take(&mut self.waiting) {
            at = self.try_all(
                expression,
                segment,
                starts.start.max(at)..starts.end.min(ready),
                &mut add,
            );
            if starts.end > ready {
                self.waiting.push(starts.start.max(ready)..starts.end);
            }
        }
    }

    /// Tries every place in `starts`; returns the end of what has been tried.
    fn try_all(
        &mut self,
        expression: &Expression,
        segment: Segment<'_>,
        starts: Range<usize>,
        add: &mut impl FnMut(usize, usize),
    ) -> usize {
        for start in starts.clone() {
            if self.wasted > WASTE_MAX {
                self.search(expression, segment, start, add);
                // All further places were searched, or lie before the end of a match.
                return segment.to;
            }
            if start >= self.end {
                self.attempt(expression, segment, start, add);
            }
        }
        starts.end.max(starts.start)
    }

    /// Tries the place `start` of the stream.
    fn attempt(
        &mut self,
        expression: &Expression,
        segment: Segment<'_>,
        start: usize,
        add: &mut impl FnMut(usize, usize),
    ) -> bool {
        let within = start - segment.base;
        let bound = segment.bytes.len().min(within + REACH);
        match expression.attempt(segment.bytes, within, bound) {
            Attempt::Nothing(wasted) => {
                self.wasted += wasted;
                return false;
            }
            Attempt::Match(end) => self.end = segment.base + end,
            Attempt::Open(more) => {
                self.end = segment.base + bound;
                self.open = Some(more);
            }
        }
        if start < self.end {
            add(start, self.end);
        }
        self.extend_open(segment, add);
        true
    }

    /// Masks what an open match goes on with, as far as the bytes are in memory.
    fn extend_open(&mut self, segment: Segment<'_>, add: &mut impl FnMut(usize, usize)) {
        let Some(more) = self.open else { return };
        let at = self.end - segment.base;
        // No further than any match of the segment: how many bytes follow that depends on the pieces.
        let until = segment.bytes.len().min(segment.to + REACH - segment.base);
        let rest = segment.bytes.get(at..until).unwrap_or_default();
        let length = rest.iter().take_while(|&&byte| more.contains(byte)).count();
        if length > 0 {
            add(self.end, self.end + length);
            self.end += length;
        }
        if length < rest.len() {
            self.open = None;
        }
    }

    /// Searches from `from` on for matches that begin in the segment.
    fn search(
        &mut self,
        expression: &Expression,
        segment: Segment<'_>,
        from: usize,
        add: &mut impl FnMut(usize, usize),
    ) {
        let Segment {
            bytes, base, to, ..
        } = segment;
        let reach = expression.longest.unwrap_or(REACH).min(REACH);
        let bound = bytes.len().min(to - base + reach);
        let mut at = from.max(self.end);
        while at < to {
            let Some((start, end)) = expression.find(bytes, at - base, bound) else {
                break;
            };
            let start = base + start;
            if start >= to {
                break;
            }
            if !self.attempt(expression, segment, start, add) {
                add(start, base + end);
                self.end = base + end;
            }
            at = self.end.max(start + 1);
        }
    }
}
