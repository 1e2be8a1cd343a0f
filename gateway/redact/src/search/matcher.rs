use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;

use super::anchor::Anchor;
use super::cards;
use super::detect::{self, Detector};
use super::encode::Form;
use super::expression::Expression;
use super::filter::Filter;

/// No detector looks further back than this, nor begins a match further before what gave it away.
pub(super) const BACK: usize = 4096;
/// Neither detectors nor expressions look further ahead. A longer match is hidden as far as this, and what goes on in the
/// same way after it.
pub(super) const REACH: usize = 1 << 16;

/// What one place is searched for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) needles: Vec<Arc<Needle>>,
    pub(super) expressions: Vec<Arc<Expression>>,
    pub(super) detectors: Vec<(usize, Detector)>,
}

/// Bytes to be found wherever they are.
#[derive(Debug)]
pub(super) struct Needle {
    /// The rule's index in the plan.
    pub(super) rule: usize,
    pub(super) form: Form,
}

/// All that is wanted in one place, behind one filter.
#[derive(Debug)]
pub(super) struct Matcher {
    filter: Filter,
    /// What each anchor of the filter gives away.
    probes: Vec<Probe>,
    /// Needles of one or two bytes, each searched for on its own.
    short: Vec<(Arc<Needle>, memmem::Finder<'static>)>,
    expressions: Vec<Arc<Expression>>,
    cards: Option<usize>,
}

#[derive(Debug)]
enum Probe {
    Needle(Arc<Needle>),
    /// By its place in the list, the piece, and how far before it a match may begin.
    Expression(usize, Vec<u8>, (usize, usize)),
    Detector(usize, Anchor, detect::Verify),
}

/// What the filter's candidates turned out to be, by offsets in the bytes that were swept.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// Rule, beginning and end of each match of a needle or detector.
    pub(super) found: Vec<(usize, usize, usize)>,
    /// Where which expression is to be tried.
    pub(super) starts: Vec<(usize, Range<usize>)>,
}

impl Matcher {
    /// `None` if the anchors have too many grams.
    pub(super) fn new(wanted: Wanted) -> Option<Self> {
        let mut anchors = Vec::new();
        let mut probes = Vec::new();
        let mut add = |anchor: Anchor, probe: Probe| {
            anchors.push(anchor);
            probes.push(probe);
        };
        let (short, long): (Vec<_>, Vec<_>) = wanted
            .needles
            .into_iter()
            .partition(|needle| needle.form.bytes.len() < 3);
        for needle in long {
            add(Anchor::literal(&needle.form.bytes), Probe::Needle(needle));
        }
        for (index, expression) in wanted.expressions.iter().enumerate() {
            for piece in expression.pieces.iter().flatten() {
                let probe = Probe::Expression(index, piece.bytes.clone(), piece.before);
                add(Anchor::literal(&piece.bytes), probe);
            }
        }
        let mut cards = None;
        for (rule, detector) in wanted.detectors {
            match detector {
                Detector::Cards => cards = cards.or(Some(rule)),
                Detector::Anchored(probes) => probes.into_iter().for_each(|(anchor, verify)| {
                    add(anchor.clone(), Probe::Detector(rule, anchor, verify));
                }),
            }
        }
        let finder = |needle: Arc<Needle>| {
            let finder = memmem::Finder::new(&needle.form.bytes).into_owned();
            (needle, finder)
        };
        let (filter, _) = Filter::new(&anchors).filter(|(_, unfit)| unfit.is_empty())?;
        let short = short.into_iter().map(finder).collect();
        Some(Self {
            filter,
            probes,
            short,
            expressions: wanted.expressions,
            cards,
        })
    }

    pub(super) fn expressions(&self) -> &[Arc<Expression>] {
        &self.expressions
    }

    /// Looks at what begins in `from..to` of `bytes`.
    pub(super) fn sweep(&self, bytes: &[u8], from: usize, to: usize, sweep: &mut Sweep) {
        self.filter.sweep(bytes, from, to, &mut |probe, at| {
            if let Some(probe) = self.probes.get(probe) {
                probe.verify(bytes, at, sweep);
            }
        });
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
        if let Some(rule) = self.cards {
            cards::find(bytes, from, to, &mut |start, end| {
                sweep.found.push((rule, start, end))
            });
        }
    }
}

impl Probe {
    fn verify(&self, bytes: &[u8], at: usize, sweep: &mut Sweep) {
        let Some(here) = bytes.get(at..) else { return };
        match self {
            Self::Needle(needle) if here.starts_with(&needle.form.bytes) => {
                let (start, end) = needle.extent(bytes, at);
                sweep.found.push((needle.rule, start, end));
            }
            Self::Expression(index, piece, (least, most)) if here.starts_with(piece) => {
                if let Some(last) = at.checked_sub(*least) {
                    sweep
                        .starts
                        .push((*index, at.saturating_sub(*most)..last + 1));
                }
            }
            Self::Detector(rule, anchor, verify) if anchor.starts(here) => {
                let first = at.saturating_sub(BACK);
                let text = bytes
                    .get(first..bytes.len().min(at + REACH))
                    .unwrap_or_default();
                if let Some(found) = verify(text, at - first) {
                    sweep
                        .found
                        .push((*rule, first + found.start, first + found.end));
                }
            }
            _ => {}
        }
    }
}

impl Needle {
    /// What is to be hidden of it when it is at `at`: also the neighbours that hold bits of it.
    fn extent(&self, bytes: &[u8], at: usize) -> (usize, usize) {
        let end = at + self.form.bytes.len();
        let is_base64 = |at: Option<usize>| {
            let byte = at.and_then(|at| bytes.get(at));
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte))
        };
        let before = self.form.before && is_base64(at.checked_sub(1));
        let after = self.form.after && is_base64(Some(end));
        (at - usize::from(before), end + usize::from(after))
    }
}
