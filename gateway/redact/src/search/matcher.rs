//! Everything that is searched for in one place, behind one filter.

use std::ops::Range;
use std::sync::Arc;

use fearless_simd::Level;
use gateway_core::Place;
use memchr::memmem;

use super::anchor::Anchor;
use super::cards;
use super::describe::Describer;
use super::detect::{Detector, Finder, Known, Text};
use super::expression::Expression;
use super::filter::Filter;
use super::named::{NamedNeedle, NamedNeedles};
use super::needle::{EscapedNeedle, Needle};
use super::sieve::{Candidates, PAGE};

/// Bytes that detectors read before an anchor. No match begins further before it.
pub(super) const BACK: usize = 4096;
/// Bytes that detectors and expressions read ahead. A longer match is masked up to there, and as long as it goes on in the
/// same way.
pub(super) const REACH: usize = 1 << 16;

/// Everything that is searched for in one place.
#[derive(Debug, Default)]
pub(super) struct Targets {
    pub(super) needles: Vec<Arc<Needle>>,
    pub(super) escaped: Vec<Arc<EscapedNeedle>>,
    pub(super) named: Vec<Arc<NamedNeedle>>,
    pub(super) expressions: Vec<Arc<Expression>>,
    pub(super) detectors: Vec<(usize, Detector)>,
    /// Describes what is found.
    pub(super) describer: Option<Arc<Describer>>,
}

/// The targets of one place, behind one filter.
#[derive(Debug)]
pub(super) struct Matcher {
    filter: Filter,
    /// The owner of each of the filter's anchors.
    probes: Vec<Probe>,
    /// Needles of one or two bytes, each searched for on its own.
    short: Vec<(Arc<Needle>, memmem::Finder<'static>)>,
    expressions: Vec<Arc<Expression>>,
    cards: Option<usize>,
    describer: Option<Arc<Describer>>,
    level: Level,
}

#[derive(Debug)]
enum Probe {
    Needle(Arc<Needle>),
    /// The value, and the index of its spot.
    Escaped(Arc<EscapedNeedle>, usize),
    Named(NamedNeedles),
    /// The expression's index, the piece, and how far before it a match may begin.
    Expression(usize, Vec<u8>, (usize, usize)),
    Detector(usize, Anchor, Finder),
}

/// Results of a sweep, by offsets in the bytes that were searched.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// Rule, start and end of each match of a needle or detector.
    pub(super) found: Vec<(usize, usize, usize)>,
    /// The expressions to try, each with where to try it.
    pub(super) starts: Vec<(usize, Range<usize>)>,
    /// Characters of escaped texts that were read in vain, or for values in the same place.
    effort: usize,
    /// The end of the last value that was found among them.
    found_until: usize,
    room: Box<Candidates>,
    /// What detectors have read.
    known: Known,
}

impl Matcher {
    /// `None` if the anchors have too many grams.
    pub(super) fn new(targets: Targets, level: Level) -> Option<Self> {
        let mut anchors = Vec::new();
        let mut probes = Vec::new();
        let mut add = |anchor: Anchor, probe: Probe| {
            anchors.push(anchor);
            probes.push(probe);
        };
        let (short, long): (Vec<_>, Vec<_>) = targets
            .needles
            .into_iter()
            .partition(|needle| needle.form.bytes.len() < 3);
        for needle in long {
            add(Anchor::literal(&needle.form.bytes), Probe::Needle(needle));
        }
        for needle in targets.escaped {
            for (index, spot) in needle.value.spots().iter().enumerate() {
                let probe = Probe::Escaped(Arc::clone(&needle), index);
                add(spot.anchor.clone(), probe);
            }
        }
        for (anchor, needles) in NamedNeedles::noticed_by(targets.named) {
            add(anchor, Probe::Named(needles));
        }
        for (index, expression) in targets.expressions.iter().enumerate() {
            for piece in expression.pieces.iter().flatten() {
                let probe = Probe::Expression(index, piece.bytes.clone(), piece.before);
                add(Anchor::literal(&piece.bytes), probe);
            }
        }
        let mut cards = None;
        for (rule, detector) in targets.detectors {
            match detector {
                Detector::Cards => cards = cards.or(Some(rule)),
                Detector::Variables => {}
                Detector::Anchored(probes) => probes.into_iter().for_each(|(anchor, finder)| {
                    add(anchor.clone(), Probe::Detector(rule, anchor, finder));
                }),
            }
        }
        let finder = |needle: Arc<Needle>| {
            let finder = memmem::Finder::new(&needle.form.bytes).into_owned();
            (needle, finder)
        };
        let (filter, _) =
            Filter::new(&anchors, level).filter(|(_, too_short)| too_short.is_empty())?;
        let short = short.into_iter().map(finder).collect();
        Some(Self {
            filter,
            probes,
            short,
            expressions: targets.expressions,
            cards,
            describer: targets.describer,
            level,
        })
    }

    pub(super) fn describer(&self) -> Option<&Describer> {
        self.describer.as_deref()
    }

    pub(super) fn expressions(&self) -> &[Arc<Expression>] {
        &self.expressions
    }

    /// Finds what begins in `range` of `bytes`, which stand in `place`.
    pub(super) fn sweep(&self, bytes: &[u8], range: Range<usize>, place: Place, sweep: &mut Sweep) {
        let Range {
            start: from,
            end: to,
        } = range;
        (sweep.effort, sweep.found_until) = (0, 0);
        sweep.known.clear();
        let mut room = std::mem::take(&mut sweep.room);
        for from in (from..to).step_by(PAGE) {
            let page = from..to.min(from + PAGE);
            let zeros = self
                .filter
                .sweep(bytes, page.clone(), &mut room, &mut |probe, at| {
                    if let Some(probe) = self.probes.get(probe) {
                        probe.verify(bytes, at, place, sweep);
                    }
                });
            if let Some(rule) = self.cards.filter(|_| !zeros) {
                cards::find(self.level, bytes, page, &mut |start, end| {
                    sweep.found.push((rule, start, end));
                });
            }
        }
        sweep.room = room;
        for (needle, finder) in &self.short {
            // A needle that begins before `to` ends at most one byte after it.
            let part = bytes
                .get(from..(to + needle.form.bytes.len() - 1).min(bytes.len()))
                .unwrap_or_default();
            let mut at = 0;
            while let Some(next) = part.get(at..).and_then(|rest| finder.find(rest)) {
                let start = from + at + next;
                sweep
                    .found
                    .push((needle.rule, start, start + needle.form.bytes.len()));
                at += next + 1;
            }
        }
    }
}

impl Probe {
    fn verify(&self, bytes: &[u8], at: usize, place: Place, sweep: &mut Sweep) {
        let Some(here) = bytes.get(at..) else { return };
        match self {
            Self::Needle(needle) if here.starts_with(&needle.form.bytes) => {
                let (start, end) = needle.extent(bytes, at);
                sweep.found.push((needle.rule, start, end));
            }
            Self::Escaped(needle, spot) => escaped(needle, *spot, bytes, at, sweep),
            Self::Named(needles) => {
                let text = bytes.get(..bytes.len().min(at + REACH)).unwrap_or_default();
                let Sweep { found, effort, .. } = sweep;
                needles.find(text, at, effort, &mut |rule, range| {
                    found.push((rule, range.start, range.end));
                });
            }
            Self::Expression(index, piece, (least, most)) if here.starts_with(piece) => {
                if let Some(last) = at.checked_sub(*least) {
                    sweep
                        .starts
                        .push((*index, at.saturating_sub(*most)..last + 1));
                }
            }
            Self::Detector(rule, anchor, finder) if anchor.starts(here) => {
                let first = at.saturating_sub(BACK);
                let text = bytes
                    .get(first..bytes.len().min(at + REACH))
                    .unwrap_or_default();
                let text = Text::new(text, first, &sweep.known);
                if let Some(found) = finder.find(&text, at - first, place) {
                    sweep
                        .found
                        .push((*rule, first + found.start, first + found.end));
                }
            }
            _ => {}
        }
    }
}

/// Looks for a value around its spot of this index, which may begin at `at`.
fn escaped(needle: &EscapedNeedle, spot: usize, bytes: &[u8], at: usize, sweep: &mut Sweep) {
    let Some(spot) = needle.value.spots().get(spot) else {
        return;
    };
    let first = at.saturating_sub(BACK);
    let text = bytes.get(first..bytes.len().min(at + REACH));
    let text = text.unwrap_or_default();
    let before = sweep.effort;
    let found = needle.value.find(spot, text, at - first, &mut sweep.effort);
    if let Some(found) = found {
        let range = (first + found.start, first + found.end);
        if range.0 >= sweep.found_until {
            (sweep.effort, sweep.found_until) = (before, range.1);
        }
        sweep.found.push((needle.rule, range.0, range.1));
    }
}
