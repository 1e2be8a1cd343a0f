//! Turns literals and values into needles, within bounds.

use std::collections::BTreeSet;
use std::sync::Arc;

use gateway_core::bounds::PATTERN_MAX;
use gateway_core::{MaskRule, Pattern};

use super::encode::{EncodedForm, forms};
use super::needle::Needle;
use super::selector::Selector;
use super::{EnvValue, RuleError, SearchSettings};

/// Longer environment values are searched for in pieces: their longest encoding, six bytes for one, must fit behind any
/// segment.
const VALUE_MAX: usize = 8192;

/// Counts the needles of all rules so far against the bounds.
#[derive(Debug)]
pub(super) struct Needles<'s> {
    settings: &'s SearchSettings,
    count: usize,
    bytes: usize,
}

impl<'s> Needles<'s> {
    pub(super) fn new(settings: &'s SearchSettings) -> Self {
        Self {
            settings,
            count: 0,
            bytes: 0,
        }
    }

    /// The needles of the plan's rule of this index.
    pub(super) fn of(
        &mut self,
        index: usize,
        rule: &MaskRule,
        values: &[EnvValue],
    ) -> Result<Vec<Arc<Needle>>, RuleError> {
        let forms = match &rule.pattern {
            Pattern::Literal(bytes) if (1..=PATTERN_MAX).contains(&bytes.len()) => {
                BTreeSet::from([EncodedForm::plain(bytes.clone())])
            }
            Pattern::Literal(_) => {
                return Err(RuleError::Literal {
                    rule: rule.name.clone(),
                    max: PATTERN_MAX,
                });
            }
            pattern => Selector::of(pattern)
                .map(|selector| self.of_values(&selector, values))
                .unwrap_or_default(),
        };
        self.count = self.count.saturating_add(forms.len());
        self.bytes = forms
            .iter()
            .fold(self.bytes, |all, form| all.saturating_add(form.bytes.len()));
        self.check(rule)?;
        Ok(forms
            .into_iter()
            .map(|form| Arc::new(Needle { rule: index, form }))
            .collect())
    }

    fn of_values(&self, selector: &Selector<'_>, values: &[EnvValue]) -> BTreeSet<EncodedForm> {
        let selected = values.iter().filter(|value| {
            value.value.len() >= self.settings.min_value_length.max(1)
                && selector.selects(value.name.as_bytes())
        });
        selected
            .flat_map(|value| pieces(&value.value))
            .flat_map(forms)
            .collect()
    }

    fn check(&self, rule: &MaskRule) -> Result<(), RuleError> {
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

/// The value in pieces of the same length, of which the last may overlap the one before.
fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let tail = value.get(value.len().saturating_sub(VALUE_MAX)..);
    value.chunks_exact(VALUE_MAX).chain(tail)
}
