//! Regular expressions, tried at one place or searched for.

use gateway_core::bounds::{EXPRESSION_NESTING_MAX, EXPRESSION_SIZE_MAX};
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::meta::{self, Regex};
use regex_automata::nfa::thompson;
use regex_automata::util::pool::Pool;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

use super::bytes::ByteSet;
use super::required::{self, Piece};

/// Memory for the states of one automaton while it runs, in bytes: a plan has many.
const CACHE: usize = 1 << 18;

/// An expression of a plan, compiled twice: to try one place, state by state, and to search where no literal piece says
/// which place to try.
#[derive(Debug)]
pub(super) struct Expression {
    /// The rule's index in the plan.
    pub(super) rule: usize,
    /// Every match contains one of these; `None` if there are no such pieces.
    pub(super) pieces: Option<Vec<Piece>>,
    /// The longest possible match, in bytes.
    pub(super) longest: Option<usize>,
    dfa: DFA,
    search: Regex,
    caches: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync>>,
}

/// The outcome of trying one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// No match begins there; so many bytes were read.
    Nothing(usize),
    /// A match, with its end.
    Match(usize),
    /// The match may go on beyond the bound. It is masked up to the bound, and then as long as bytes are in the set.
    Open(ByteSet),
}

impl Expression {
    /// Compiles within the bounds that plans are checked with; `None` beyond them.
    pub(super) fn new(rule: usize, text: &str) -> Option<Self> {
        let mut parser = regex_syntax::ParserBuilder::new();
        let hir = parser
            .utf8(false)
            .nest_limit(EXPRESSION_NESTING_MAX)
            .build()
            .parse(text)
            .ok()?;
        let config = thompson::Config::new()
            .nfa_size_limit(Some(EXPRESSION_SIZE_MAX))
            .utf8(false);
        let nfa = thompson::Compiler::new()
            .configure(config)
            .build_from_hir(&hir)
            .ok()?;
        let config = DFA::config()
            .match_kind(MatchKind::LeftmostFirst)
            .unicode_word_boundary(true)
            .skip_cache_capacity_check(true)
            .cache_capacity(CACHE);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let search = meta::Config::new()
            .nfa_size_limit(Some(EXPRESSION_SIZE_MAX))
            .hybrid_cache_capacity(CACHE)
            .utf8_empty(false);
        let syntax = syntax::Config::new()
            .utf8(false)
            .nest_limit(EXPRESSION_NESTING_MAX);
        let search = Regex::builder()
            .configure(search)
            .syntax(syntax)
            .build(text)
            .ok()?;
        let maker = dfa.clone();
        let caches = Pool::new(
            Box::new(move || maker.create_cache()) as Box<dyn Fn() -> Cache + Send + Sync>
        );
        let (pieces, longest) = (required::pieces(&hir), hir.properties().maximum_len());
        Some(Self {
            rule,
            pieces,
            longest,
            dfa,
            search,
            caches,
        })
    }

    /// Its memory in bytes, without caches.
    pub(super) fn memory(&self) -> usize {
        self.dfa
            .memory_usage()
            .saturating_add(self.search.memory_usage())
    }

    /// Tries at `start`, reading no further than `end`, which is the end of the text only if `bytes` end there.
    pub(super) fn attempt(&self, bytes: &[u8], start: usize, end: usize) -> Attempt {
        let input = Input::new(bytes).range(start..end).anchored(Anchored::Yes);
        let mut cache = self.caches.get();
        self.walk(&mut cache, &input)
            .unwrap_or_else(|| match self.search.search(&input) {
                Some(found) => Attempt::Match(found.end()),
                None => Attempt::Nothing(end - start),
            })
    }

    /// The first match that lies in `start..end`.
    pub(super) fn find(&self, bytes: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
        let found = self.search.search(&Input::new(bytes).range(start..end))?;
        Some((found.start(), found.end()))
    }

    /// `None` where the automaton gives up, as at a Unicode word boundary beside text that is not ASCII.
    fn walk(&self, cache: &mut Cache, input: &Input<'_>) -> Option<Attempt> {
        let mut state = self.dfa.start_state_forward(cache, input).ok()?;
        let mut found = None;
        let span = input.haystack().get(input.get_range())?;
        // The automaton reports a match one byte late.
        for (at, &byte) in (input.start()..).zip(span) {
            state = self.dfa.next_state(cache, state, byte).ok()?;
            if state.is_match() {
                found = Some(at);
            } else if state.is_dead() {
                return Some(found.map_or(Attempt::Nothing(at - input.start()), Attempt::Match));
            } else if state.is_quit() {
                return None;
            }
        }
        if let Some(&next) = input.haystack().get(input.end()) {
            return self.at_bound(cache, state, next, found, input);
        }
        let last = self.dfa.next_eoi_state(cache, state).ok()?;
        let found = if last.is_match() {
            Some(input.end())
        } else {
            found
        };
        Some(found.map_or(Attempt::Nothing(span.len()), Attempt::Match))
    }

    /// The bound is reached, not the text's end.
    fn at_bound(
        &self,
        cache: &mut Cache,
        state: LazyStateID,
        next: u8,
        found: Option<usize>,
        input: &Input<'_>,
    ) -> Option<Attempt> {
        let over = self.dfa.next_state(cache, state, next).ok()?;
        if over.is_dead() {
            return Some(found.map_or(Attempt::Nothing(input.get_span().len()), Attempt::Match));
        }
        let same = |byte: &u8| {
            self.dfa
                .next_state(cache, state, *byte)
                .is_ok_and(|then| then == state)
        };
        // A match that may end after every byte ends after the last that keeps the state.
        let more = if state.is_match() {
            ByteSet::of((0..=u8::MAX).filter(same))
        } else {
            ByteSet::default()
        };
        Some(Attempt::Open(more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(expression: &str, bytes: &[u8], start: usize, end: usize) -> Attempt {
        Expression::new(0, expression)
            .unwrap()
            .attempt(bytes, start, end)
    }

    #[test]
    fn an_attempt_sees_the_bytes_around_it() {
        assert_eq!(attempt(r"\bkey\b", b"a key b", 2, 7), Attempt::Match(5));
        assert_eq!(attempt(r"\bkey\b", b"a keys", 2, 6), Attempt::Nothing(3));
        assert_eq!(attempt(r"\bkey", b"monkey", 3, 6), Attempt::Nothing(0));
        assert_eq!(attempt("key$", b"key", 0, 3), Attempt::Match(3));
        assert_eq!(attempt("key$", b"key.", 0, 3), Attempt::Nothing(3));
        assert_eq!(
            attempt(r"key\b", "keyä".as_bytes(), 0, 5),
            Attempt::Nothing(5)
        );
    }

    #[test]
    fn a_match_beyond_the_bound_is_open() {
        let Attempt::Open(more) = attempt("key[a-z]+", b"keyabcdefg", 0, 7) else {
            panic!("not open")
        };
        assert_eq!(more, ByteSet::of(b'a'..=b'z'));
        assert_eq!(
            attempt("key.*end", b"keyabcdefg", 0, 7),
            Attempt::Open(ByteSet::default())
        );
        // Also where nothing follows: a match is known one byte late.
        assert_eq!(
            attempt("key[a-d]+", b"keyabcdefg", 0, 7),
            Attempt::Open(ByteSet::of(b'a'..=b'd'))
        );
        assert_eq!(attempt("key[a-d]+", b"keyabcdefg", 0, 8), Attempt::Match(7));
    }
}
