//! Turns literals and values into needles, within bounds.

use std::collections::BTreeSet;
use std::sync::Arc;

use gateway_core::bounds::PATTERN_MAX;
use gateway_core::{MaskRule, Pattern};

use super::common::is_common;
use super::encode::{EncodedForm, encodings, texts};
use super::escape::{EscapedValue, Extent};
use super::named::NamedNeedle;
use super::needle::{EscapedNeedle, Needle};
use super::selector::Selector;
use super::telling::telling_parts;
use super::{EnvValue, RuleError, SearchSettings};

/// Longer environment values are searched for in pieces: their longest encoding, six bytes for one, must fit behind any
/// segment.
const VALUE_MAX: usize = 8192;
/// How many first bytes of a longer value are found alone, too. Linux cuts the names of threads after 15.
const FIRST: [usize; 2] = [15, 16];

/// The values of variables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'v> {
    /// To search for everywhere, in all forms.
    pub(super) everywhere: &'v [EnvValue],
    /// To search for behind their variables' names only.
    pub(super) named: &'v [EnvValue],
}

/// The needles of one rule.
#[derive(Debug, Default)]
pub(super) struct RuleNeedles {
    pub(super) plain: Vec<Arc<Needle>>,
    pub(super) escaped: Vec<Arc<EscapedNeedle>>,
    pub(super) named: Vec<Arc<NamedNeedle>>,
    /// The texts of which pieces count as found in numbers.
    pub(super) texts: Vec<Vec<u8>>,
    spots: usize,
    bytes: usize,
}

/// Counts the needles of all rules so far against the bounds.
#[derive(Debug)]
pub(super) struct Needles<'s> {
    settings: &'s SearchSettings,
    count: usize,
    bytes: usize,
    /// The count and the bytes of the rules before this one.
    counted: (usize, usize),
}

impl<'s> Needles<'s> {
    pub(super) fn new(settings: &'s SearchSettings) -> Self {
        Self {
            settings,
            count: 0,
            bytes: 0,
            counted: (0, 0),
        }
    }

    /// The needles of the plan's rule of this index.
    pub(super) fn of(
        &mut self,
        index: usize,
        rule: &MaskRule,
        values: &Values<'_>,
    ) -> Result<RuleNeedles, RuleError> {
        let mut needles = RuleNeedles::default();
        match &rule.pattern {
            Pattern::Literal(bytes) if (1..=PATTERN_MAX).contains(&bytes.len()) => {
                needles.add_literal(index, bytes);
            }
            Pattern::Literal(_) => {
                return Err(RuleError::Literal {
                    rule: rule.name.clone(),
                    max: PATTERN_MAX,
                });
            }
            pattern => {
                if let Some(selector) = Selector::of(pattern) {
                    self.add_values(index, rule, &selector, values, &mut needles)?;
                }
            }
        }
        self.count(rule, &needles)?;
        self.counted = (self.count, self.bytes);
        Ok(needles)
    }

    /// Adds the values that the selector selects: the long ones in pieces.
    fn add_values(
        &mut self,
        index: usize,
        rule: &MaskRule,
        selector: &Selector<'_>,
        values: &Values<'_>,
        needles: &mut RuleNeedles,
    ) -> Result<(), RuleError> {
        let selects =
            |value: &&EnvValue| !value.value.is_empty() && selector.selects(value.name.as_bytes());
        let shortest = self.settings.min_value_length;
        let everywhere = values.everywhere.iter().filter(selects);
        let long = everywhere.filter(|value| value.value.len() >= shortest);
        let parts: BTreeSet<&[u8]> = long.flat_map(|value| pieces(&value.value)).collect();
        for part in parts {
            needles.add_value(index, part);
            self.count(rule, needles)?;
        }
        for value in values.named.iter().filter(selects) {
            needles.add_named(index, value);
        }
        Ok(())
    }

    /// Counts the needles of a rule on top of those of the rules before it.
    fn count(&mut self, rule: &MaskRule, needles: &RuleNeedles) -> Result<(), RuleError> {
        self.count = self.counted.0.saturating_add(needles.count());
        self.bytes = self.counted.1.saturating_add(needles.bytes);
        let too_large = |max, what| {
            Err(RuleError::TooLarge {
                rule: rule.name.clone(),
                max,
                what,
            })
        };
        if self.count > self.settings.max_needles {
            return too_large(self.settings.max_needles, "literals and encoded values");
        }
        if self.bytes > self.settings.max_needle_bytes {
            return too_large(
                self.settings.max_needle_bytes,
                "bytes of literals and encoded values",
            );
        }
        Ok(())
    }
}

impl RuleNeedles {
    fn add_literal(&mut self, rule: usize, bytes: &[u8]) {
        self.add(rule, EncodedForm::plain(bytes.to_vec()));
        for part in telling_parts(bytes) {
            self.add_text(part);
        }
    }

    fn add_named(&mut self, rule: usize, value: &EnvValue) {
        let needle = NamedNeedle::new(rule, &value.name, &value.value);
        self.bytes = self
            .bytes
            .saturating_add(value.name.len() + value.value.len());
        self.named.push(Arc::new(needle));
    }

    /// Adds a value in the forms in which it may stand.
    fn add_value(&mut self, rule: usize, value: &[u8]) {
        self.add_escaped(rule, value, Extent::Everything);
        for form in encodings(value) {
            self.add(rule, form);
        }
        for changed in other_cases(value) {
            self.add_escaped(rule, &changed, Extent::Usual);
        }
        for part in telling_parts(value) {
            let firsts = FIRST.iter().filter_map(|length| part.get(..*length));
            for first in firsts.filter(|first| first.len() < part.len() && !is_common(first)) {
                self.add_escaped(rule, first, Extent::Usual);
            }
            for text in texts(&part).into_iter().chain(other_cases(&part)) {
                self.add_text(text);
            }
        }
    }

    fn add(&mut self, rule: usize, form: EncodedForm) {
        self.bytes = self.bytes.saturating_add(form.bytes.len());
        self.plain.push(Arc::new(Needle { rule, form }));
    }

    fn add_escaped(&mut self, rule: usize, value: &[u8], extent: Extent) {
        let value = EscapedValue::new(value.to_vec(), extent);
        self.spots += value.spots().len();
        self.escaped.push(Arc::new(EscapedNeedle { rule, value }));
    }

    fn add_text(&mut self, text: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(text.len());
        self.texts.push(text);
    }

    fn count(&self) -> usize {
        self.plain.len() + self.spots + self.named.len()
    }
}

/// The value in capital letters and in small ones, where that is another one.
fn other_cases(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let cases = match std::str::from_utf8(value) {
        Ok(text) => [text.to_uppercase(), text.to_lowercase()].map(String::into_bytes),
        Err(_) => [value.to_ascii_uppercase(), value.to_ascii_lowercase()],
    };
    cases.into_iter().filter(move |changed| changed != value)
}

/// The value in pieces of the same length, of which the last may overlap the one before.
fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let tail = value.get(value.len().saturating_sub(VALUE_MAX)..);
    value.chunks_exact(VALUE_MAX).chain(tail)
}
