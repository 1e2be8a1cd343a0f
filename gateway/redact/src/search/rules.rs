//! Compiles a plan.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use fearless_simd::Level;
use gateway_core::{MaskRule, Pattern, Place, Plan};

use super::describe::Describer;
use super::detect;
use super::expression::Expression;
use super::filter::GRAMS_MAX;
use super::masker::{self, Masker, RUN};
use super::matcher::{Matcher, Targets};
use super::needles::{Needles, RuleNeedles, Values};
use super::pieces::Pieces;
use super::selector::Selector;
use super::{EnvValue, RuleError, SearchSettings, Tally};

/// A compiled plan. Immutable, so that many streams share it.
#[derive(Debug)]
pub struct Rules {
    matchers: BTreeMap<Place, Arc<Matcher>>,
    /// The patterns that select environment variables, with the index of their rule in the plan.
    selectors: Vec<(usize, Pattern)>,
    /// Pieces of what is searched for in memory.
    pieces: Pieces,
    describer: Option<Arc<Describer>>,
    mask: u8,
    run: Vec<u8>,
}

impl Rules {
    /// Compiles the plan's mask rules with the environment values that are known.
    ///
    /// # Errors
    /// Names the first rule that does not compile, or that exceeds a bound of the settings.
    pub fn compile(
        plan: &Plan,
        values: &[EnvValue],
        settings: &SearchSettings,
    ) -> Result<Self, RuleError> {
        Self::compile_with(plan, values, &[], settings)
    }

    /// The same, with values that are searched for behind their variables' names only: `NAME=value`.
    ///
    /// # Errors
    /// As [`Rules::compile`].
    pub fn compile_with(
        plan: &Plan,
        everywhere: &[EnvValue],
        named: &[EnvValue],
        settings: &SearchSettings,
    ) -> Result<Self, RuleError> {
        let values = &Values { everywhere, named };
        let patterns = compile_patterns(plan, values, settings)?;
        let describer = settings.credentials.clone();
        let describer = describer.map(|settings| Arc::new(Describer::new(plan, settings)));
        let mut matchers: Vec<(Vec<usize>, Arc<Matcher>)> = Vec::new();
        let mut by_place = BTreeMap::new();
        for place in [Place::Spec, Place::Memory, Place::Logs, Place::Files] {
            let there = rules_of(plan, place);
            // Most rules search all places: one matcher serves them.
            let known = matchers
                .iter()
                .find(|(rules, _)| *rules == there)
                .map(|(_, matcher)| Arc::clone(matcher));
            let matcher = match known {
                Some(matcher) => matcher,
                None if there.is_empty() => continue,
                None => {
                    let level = settings.level();
                    Arc::new(matcher(plan, &there, &patterns, describer.as_ref(), level)?)
                }
            };
            by_place.insert(place, Arc::clone(&matcher));
            matchers.push((there, matcher));
        }
        let selectors = plan.mask.iter().enumerate();
        let selectors = selectors.filter(|(_, rule)| rule.pattern.selects_variables());
        let run = vec![settings.mask; RUN];
        Ok(Self {
            pieces: Pieces::of(texts_of(plan, &patterns, Place::Memory)),
            describer,
            matchers: by_place,
            selectors: selectors
                .map(|(index, rule)| (index, rule.pattern.clone()))
                .collect(),
            mask: settings.mask,
            run,
        })
    }

    /// Whether any rule searches `place`.
    pub fn searches(&self, place: Place) -> bool {
        self.matchers.contains_key(&place)
    }

    /// Whether a rule selects the environment variable of this name.
    pub fn selects(&self, name: &[u8]) -> bool {
        self.selecting(name).next().is_some()
    }

    /// The rules, by their index in the plan, that select the environment variable of this name.
    pub fn selecting<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let selectors = self.selectors.iter();
        selectors
            .filter(|(_, pattern)| {
                Selector::of(pattern).is_some_and(|selector| selector.selects(name))
            })
            .map(|&(index, _)| index)
    }

    /// Whether a rule judges names of variables by their words.
    pub(crate) fn judges_names(&self) -> bool {
        let mut selectors = self.selectors.iter();
        selectors.any(|(_, pattern)| matches!(pattern, Pattern::Detector(_)))
    }

    /// A masker for streams in `place`.
    pub fn masker(&self, place: Place) -> Masker<'_> {
        Masker::new(self.matchers.get(&place).map(Arc::as_ref), place, &self.run)
    }

    /// Masks a whole stream in place, and adds to `tally`.
    pub fn mask_whole(&self, place: Place, bytes: &mut [u8], tally: &mut Tally) {
        if let Some(matcher) = self.matchers.get(&place) {
            masker::whole(matcher, place, self.mask, bytes, tally);
        }
    }

    /// Describes a copy of a variable's value that is hidden where the variable stands. `rule` selects the variable.
    pub(crate) fn describe_value(
        &self,
        rule: usize,
        place: Place,
        value: &[u8],
        found: &mut Tally,
    ) {
        let (Some(describer), Some(matcher)) = (&self.describer, self.matchers.get(&place)) else {
            return;
        };
        // The value may be a token that says more of itself.
        let (_, mut within) = masker::spans(matcher, place, value);
        if within.sightings.is_empty() {
            describer.describe_variable(rule, place, &mut found.sightings);
        } else {
            within.sightings.name(rule);
            found.sightings.merge(&within.sightings);
        }
    }

    /// Whether secrets that are found are described.
    pub(crate) fn describes(&self) -> bool {
        self.describer.is_some()
    }

    /// Finds matches of the rules of all places in a whole text, which is searched as a file.
    pub(crate) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut seen: Vec<&Arc<Matcher>> = Vec::new();
        let mut found = Vec::new();
        for matcher in self.matchers.values() {
            if !seen.iter().any(|seen| Arc::ptr_eq(seen, matcher)) {
                seen.push(matcher);
                found.extend(masker::spans(matcher, Place::Files, text).0);
            }
        }
        found
    }

    /// The rule and the extent of each run of pieces of literals and values that are searched for in memory.
    pub(crate) fn find_pieces(&self, bytes: &[u8]) -> Vec<(usize, Range<usize>)> {
        self.pieces.find(bytes)
    }

    /// The byte that overwrites matches.
    pub(crate) fn mask_byte(&self) -> u8 {
        self.mask
    }

    /// Finds matches, and pieces of literals and values, in numbers that are laid out as `bytes`.
    pub(crate) fn find_in_numbers(&self, bytes: &[u8]) -> FoundInNumbers {
        let Some(matcher) = self.matchers.get(&Place::Memory) else {
            return FoundInNumbers::default();
        };
        let (whole, tally) = masker::spans(matcher, Place::Memory, bytes);
        let whole = whole.into_iter().map(|span| (None, span));
        let pieces = self.pieces.find(bytes).into_iter();
        let pieces = pieces.map(|(rule, span)| (Some(rule), span));
        FoundInNumbers {
            spans: whole.chain(pieces).collect(),
            tally,
        }
    }
}

/// What stands in numbers of memory images, and how often.
#[derive(Debug, Default)]
pub(crate) struct FoundInNumbers {
    /// The rule and the extent of each match and of each run of pieces. They may overlap.
    pub(crate) spans: Vec<(Option<usize>, Range<usize>)>,
    /// Counts of the matches; runs of pieces are not counted here.
    pub(crate) tally: Tally,
}

/// The compiled patterns, by the rule's index in the plan.
struct Patterns {
    needles: Vec<RuleNeedles>,
    expressions: Vec<Option<Arc<Expression>>>,
}

fn compile_patterns(
    plan: &Plan,
    values: &Values<'_>,
    settings: &SearchSettings,
) -> Result<Patterns, RuleError> {
    let mut needles = Needles::new(settings);
    let mut memory = 0usize;
    let mut patterns = Patterns {
        needles: Vec::new(),
        expressions: Vec::new(),
    };
    for (index, rule) in plan.mask.iter().enumerate() {
        patterns.needles.push(needles.of(index, rule, values)?);
        let expression = expression(index, rule)?;
        memory = memory.saturating_add(
            expression
                .as_ref()
                .map_or(0, |expression| expression.memory()),
        );
        if memory > settings.max_expression_bytes {
            let (rule, max) = (rule.name.clone(), settings.max_expression_bytes);
            return Err(RuleError::TooLarge {
                rule,
                max,
                what: "bytes of compiled expressions",
            });
        }
        patterns.expressions.push(expression);
    }
    Ok(patterns)
}

fn expression(index: usize, rule: &MaskRule) -> Result<Option<Arc<Expression>>, RuleError> {
    let Pattern::Regex(text) = &rule.pattern else {
        return Ok(None);
    };
    let expression = Expression::new(index, text);
    expression
        .map(|it| Some(Arc::new(it)))
        .ok_or_else(|| RuleError::Expression {
            rule: rule.name.clone(),
        })
}

fn rules_of(plan: &Plan, place: Place) -> Vec<usize> {
    let there = plan
        .mask
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.places.contains(&place));
    there.map(|(index, _)| index).collect()
}

/// The rule and the text of each needle of which pieces are searched for in `place`.
fn texts_of<'p>(
    plan: &Plan,
    patterns: &'p Patterns,
    place: Place,
) -> impl Iterator<Item = (usize, &'p [u8])> {
    let there = rules_of(plan, place).into_iter();
    let needles = there.filter_map(|index| Some((index, patterns.needles.get(index)?)));
    needles.flat_map(|(index, needles)| {
        let texts = needles.texts.iter();
        texts.map(move |text| (index, text.as_slice()))
    })
}

/// A matcher for the rules of these indices.
fn matcher(
    plan: &Plan,
    indices: &[usize],
    patterns: &Patterns,
    describer: Option<&Arc<Describer>>,
    level: Level,
) -> Result<Matcher, RuleError> {
    let mut targets = Targets {
        describer: describer.cloned(),
        ..Targets::default()
    };
    let mut last = String::new();
    for &index in indices {
        let Some(rule) = plan.mask.get(index) else {
            continue;
        };
        if let Some(needles) = patterns.needles.get(index) {
            targets.needles.extend(needles.plain.iter().cloned());
            targets.escaped.extend(needles.escaped.iter().cloned());
            targets.named.extend(needles.named.iter().cloned());
        }
        targets.expressions.extend(
            patterns
                .expressions
                .get(index)
                .into_iter()
                .flatten()
                .cloned(),
        );
        if let Pattern::Detector(name) = &rule.pattern {
            let detector = detect::named(name);
            let detector = detector.ok_or_else(|| RuleError::Detector {
                rule: rule.name.clone(),
            })?;
            targets.detectors.push((index, detector));
        }
        last.clone_from(&rule.name);
    }
    Matcher::new(targets, level).ok_or(RuleError::TooLarge {
        rule: last,
        max: GRAMS_MAX,
        what: "byte patterns to search for",
    })
}
