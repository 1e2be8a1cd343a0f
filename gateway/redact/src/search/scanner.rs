use std::ops::Range;

use gateway_core::Place;

use super::bytes::ByteSet;
use super::expression::{Attempt, Expression};
use super::matcher::{Matcher, REACH, Sweep};
use super::required::BEFORE_MAX;
use super::tally::{Count, Tally};

/// A stream is looked through in segments of this size, counted from its beginning: what is found depends on nothing but
/// the bytes, however they come.
pub(super) const SEGMENT: usize = 1 << 16;
/// How much must be there behind a segment before it can be looked through: the bound of a match that begins in it, and
/// what a look-around may want to see behind that.
pub(super) const AHEAD: usize = REACH + 8;
/// How far before a segment a match of an expression may begin that is noticed in it.
const EARLIER: usize = BEFORE_MAX + 64;
/// Bytes of failed attempts, in one segment, after which an expression is rather searched for in the whole segment, which
/// takes time in proportion to it.
const WASTE_MAX: usize = 1 << 20;

/// Goes through one stream, segment by segment, and collects what is to be hidden.
#[derive(Debug)]
pub(super) struct Scanner<'r> {
    matcher: &'r Matcher,
    place: Place,
    sweep: Sweep,
    /// What each expression has to remember.
    threads: Vec<Thread>,
    /// Until where each rule has hidden something, by its index in the plan.
    hidden: Vec<usize>,
    /// What is to be hidden, as found.
    pub(super) spans: Vec<Range<usize>>,
    pub(super) tally: Tally,
}

/// Where an expression is in the stream.
#[derive(Debug, Clone, Default)]
struct Thread {
    /// Places where it is to be tried, near the last segment's end: others before them may still come.
    waiting: Vec<Range<usize>>,
    /// The end of its last match.
    end: usize,
    /// What its last match, which was longer than the bound, goes on with.
    open: Option<ByteSet>,
    wasted: usize,
}

/// A part of the stream, and what is at hand around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'b> {
    /// What is at hand.
    pub(super) bytes: &'b [u8],
    /// Where in the stream that begins.
    pub(super) base: usize,
    /// The segment, by offsets in the stream.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether the stream ends with this segment.
    pub(super) last: bool,
}

impl<'r> Scanner<'r> {
    pub(super) fn new(matcher: &'r Matcher, place: Place) -> Self {
        let threads = vec![Thread::default(); matcher.expressions().len()];
        let sweep = Sweep::default();
        Self {
            matcher,
            place,
            sweep,
            threads,
            hidden: Vec::new(),
            spans: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// For the next stream.
    pub(super) fn again(self) -> Self {
        Self::new(self.matcher, self.place)
    }

    /// Looks through the next segment.
    pub(super) fn segment(&mut self, segment: Segment<'_>) {
        let Segment {
            bytes,
            base,
            from,
            to,
            ..
        } = segment;
        self.matcher
            .sweep(bytes, from - base, to - base, &mut self.sweep);
        for (index, starts) in self.sweep.starts.drain(..) {
            if let Some(thread) = self.threads.get_mut(index) {
                thread.waiting.push(base + starts.start..base + starts.end);
            }
        }
        let matcher = self.matcher;
        for (expression, thread) in matcher.expressions().iter().zip(&mut self.threads) {
            thread.advance(expression, segment, &mut self.sweep.found);
        }
        self.record(base);
    }

    fn record(&mut self, base: usize) {
        self.sweep
            .found
            .sort_unstable_by_key(|&(rule, start, end)| (start, end, rule));
        for (rule, start, end) in self.sweep.found.drain(..) {
            let (start, end) = (base + start, base + end);
            if self.hidden.len() <= rule {
                self.hidden.resize(rule + 1, 0);
            }
            let Some(hidden) = self.hidden.get_mut(rule) else {
                continue;
            };
            // Found twice: from two of its anchors, or as a part of another match of the same rule.
            if end <= *hidden {
                self.spans.push(start..end);
                continue;
            }
            let bytes = (end - start.max(*hidden)) as u64;
            *hidden = end;
            self.tally.add(rule, self.place, Count { masks: 1, bytes });
            self.spans.push(start..end);
        }
    }
}

impl Thread {
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
        self.go_on(segment, &mut add);
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

    /// Tries everywhere in `starts`; tells how far all has been tried.
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
                // What follows lies in what was searched, or before the end of a match.
                return segment.to;
            }
            if start >= self.end {
                self.attempt(expression, segment, start, add);
            }
        }
        starts.end.max(starts.start)
    }

    /// Tries at `start` of the stream.
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
        self.go_on(segment, add);
        true
    }

    /// Hides what an open match goes on with, as far as it is at hand.
    fn go_on(&mut self, segment: Segment<'_>, add: &mut impl FnMut(usize, usize)) {
        let Some(more) = self.open else { return };
        let at = self.end - segment.base;
        // No further than any match of the segment: what is at hand behind that depends on how the bytes came.
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

    /// Searches from `from` on for what begins in the segment.
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
