//! Remembers what detectors have read, so that no text makes them read the same bytes over and over.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::{Deref, Range};

use super::text::{run, run_back};

/// Shorter runs are read anew each time.
const SHORT: usize = 8;

/// A set of bytes.
pub(super) type Class = fn(u8) -> bool;

/// A run of bytes of one class, by positions in the searched bytes, as far as it is known.
#[derive(Debug, Clone, Copy)]
struct Run {
    class: usize,
    start: usize,
    end: usize,
    /// Whether it is known to end there, or to begin there if it is read backward.
    closed: bool,
}

/// What is known about the bytes that are searched, by their positions. The results are as without it.
#[derive(Debug, Default)]
pub(in crate::search) struct Known {
    forward: RefCell<Vec<Run>>,
    backward: RefCell<Vec<Run>>,
    /// A part without any varied part.
    pub(super) plain: Cell<(usize, usize)>,
    /// Words of the values of fields, and of connection strings.
    pub(super) counted: [Cell<Counted>; 2],
    pub(super) parts: RefCell<Parts>,
    /// The last line that was read as one of a password file, and its secret.
    pub(super) line: RefCell<Option<(usize, Option<Range<usize>>)>>,
    pub(super) lines: RefCell<Vec<Line>>,
    /// The last places at which a host was looked for, and whether one may stand there.
    pub(super) hosts: RefCell<VecDeque<(usize, bool)>>,
}

/// A part of a text whose letters and words were counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) letters: usize,
    /// Those that begin behind the first byte.
    pub(super) words: usize,
}

/// The parts of connection strings in a part of a text.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) found: Vec<Range<usize>>,
}

/// A line of a block of YAML.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) start: usize,
    /// Its first character.
    pub(super) first: usize,
    /// The end of its text, without blanks.
    pub(super) end: usize,
    /// The next line.
    pub(super) next: Option<usize>,
    pub(super) is_secret: bool,
}

impl Known {
    /// Forgets everything, before other bytes are searched.
    pub(in crate::search) fn clear(&mut self) {
        self.forward.get_mut().clear();
        self.backward.get_mut().clear();
        self.plain.take();
        self.counted.iter().for_each(|counted| _ = counted.take());
        *self.parts.get_mut() = Parts::default();
        *self.line.get_mut() = None;
        self.lines.get_mut().clear();
        self.hosts.get_mut().clear();
    }
}

/// Text around an anchor, and what is known about it.
#[derive(Debug, Clone, Copy)]
pub(in crate::search) struct Text<'t> {
    bytes: &'t [u8],
    /// Its position in the searched bytes.
    pub(super) base: usize,
    pub(super) known: &'t Known,
}

impl<'t> Text<'t> {
    pub(in crate::search) fn new(bytes: &'t [u8], base: usize, known: &'t Known) -> Self {
        Self { bytes, base, known }
    }

    /// As [`run`], without reading again what is known.
    pub(super) fn run(&self, at: usize, most: usize, class: Class) -> usize {
        let near = run(self.bytes, at, most.min(SHORT), class);
        if most <= SHORT || near < at + SHORT {
            return near;
        }
        let limit = self.bytes.len().min(at + most);
        let position = self.base + at;
        let mut known = recall(&self.known.forward, class);
        if !(known.start..=known.end).contains(&position) {
            (known.start, known.end, known.closed) = (position, self.base + near, false);
        }
        if !known.closed && known.end < self.base + limit {
            let from = known.end - self.base;
            let end = run(self.bytes, from, limit - from, class);
            (known.end, known.closed) = (self.base + end, end < limit);
        }
        store(&self.known.forward, known);
        limit.min(known.end - self.base)
    }

    /// As [`run_back`], without reading again what is known.
    pub(super) fn run_back(&self, at: usize, most: usize, class: Class) -> usize {
        let near = run_back(self.bytes, at, most.min(SHORT), class);
        if most <= SHORT || near + SHORT > at {
            return near;
        }
        let limit = at.saturating_sub(most);
        let (position, least) = (self.base + at, self.base + limit);
        let mut known = recall(&self.known.backward, class);
        if position < known.start || known.end < known.start {
            (known.start, known.end, known.closed) = (self.base + near, position, false);
        } else if position > known.end {
            let until = known.end.max(least);
            let start = self.base + run_back(self.bytes, at, position - until, class);
            if start > known.end {
                (known.start, known.closed) = (start, start > until);
            }
            known.end = position;
        }
        if !known.closed && known.start > least {
            let from = known.start - self.base;
            let start = run_back(self.bytes, from, from - limit, class);
            (known.start, known.closed) = (self.base + start, start > limit);
        }
        store(&self.known.backward, known);
        limit.max(known.start.saturating_sub(self.base))
    }
}

impl Deref for Text<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

/// The last run of the class, which is empty if there was none. Two classes at one address are the same code.
fn recall(runs: &RefCell<Vec<Run>>, class: Class) -> Run {
    let class = class as usize;
    let runs = runs.borrow();
    let run = runs.iter().find(|run| run.class == class);
    run.copied().unwrap_or(Run {
        class,
        start: 1,
        end: 0,
        closed: false,
    })
}

fn store(runs: &RefCell<Vec<Run>>, run: Run) {
    let mut runs = runs.borrow_mut();
    match runs.iter_mut().find(|known| known.class == run.class) {
        Some(known) => *known = run,
        None => runs.push(run),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::text::is_alphanumeric;
    use super::*;

    proptest! {
        #[test]
        fn runs_are_as_without_what_is_known(
            pieces in vec((any::<bool>(), 1usize..300), 1..12),
            asked in vec((any::<prop::sample::Index>(), 1usize..600, any::<bool>()), 1..40),
            sorted in any::<bool>(),
        ) {
            let bytes: Vec<u8> = pieces
                .iter()
                .flat_map(|&(breaks, length)| [vec![b'a'; length], vec![b'-'; usize::from(breaks)]].concat())
                .collect();
            let known = Known::default();
            let mut asked: Vec<_> = asked.into_iter().map(|(at, most, back)| (at.index(bytes.len()), most, back)).collect();
            if sorted {
                asked.sort_unstable();
            }
            for (at, most, back) in asked {
                // As a matcher cuts the text around an anchor.
                let base = at.saturating_sub(700);
                let text = Text::new(&bytes[base..bytes.len().min(at + 700)], base, &known);
                let within = at - base;
                if back {
                    prop_assert_eq!(text.run_back(within, most, is_alphanumeric), run_back(&text, within, most, is_alphanumeric));
                } else {
                    prop_assert_eq!(text.run(within, most, is_alphanumeric), run(&text, within, most, is_alphanumeric));
                }
            }
        }
    }
}
