//! Values of environment variables that must be hidden.

use std::collections::BTreeSet;

use gateway_core::{Place, Plan};

use super::maskers::mask;
use super::settings::RedactionSettings;
use crate::Error;
use crate::content::EVERYWHERE;
use crate::search::{Count, EnvValue, Rules, Tally};

/// The most values of one checkpoint: more than any real one has, and few enough for the memory.
const MAX_VALUES: usize = 16_384;
/// All values together, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// Values that the caller knows, or that were learnt from the archive. No `Debug`: they are secrets.
#[derive(Default)]
pub(super) struct KnownValues {
    /// Values to search for, in the forms in which they may stand.
    values: Vec<EnvValue>,
    seen: BTreeSet<Vec<u8>>,
    too_short: BTreeSet<Vec<u8>>,
    bytes: usize,
    /// The places in which each of the plan's rules hides variables.
    places: Vec<BTreeSet<Place>>,
    min_length: usize,
    mask: u8,
    /// Whether a value was added since the last call of [`KnownValues::take_changed`].
    changed: bool,
}

impl KnownValues {
    pub(super) fn new(plan: &Plan, settings: &RedactionSettings) -> Self {
        let places = plan.mask.iter().map(|rule| {
            let selects = rule.pattern.selects_variables();
            if selects {
                rule.places.clone()
            } else {
                BTreeSet::new()
            }
        });
        Self {
            places: places.collect(),
            min_length: settings.min_value_length.max(1),
            mask: settings.mask,
            ..Self::default()
        }
    }

    /// The values to search for.
    pub(super) fn values(&self) -> &[EnvValue] {
        &self.values
    }

    /// The number of values that are searched for, and of those that are too short for it.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.seen.len() as u64, self.too_short.len() as u64)
    }

    /// Whether values were learnt since the last call.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Whether a rule hides the variable `name` in `place`.
    pub(super) fn hides(&self, rules: &Rules, place: Place, name: &[u8]) -> bool {
        self.hiding(rules, place, name).next().is_some()
    }

    /// Overwrites and counts the value of the variable `name`, however short it is.
    pub(super) fn hide(
        &self,
        rules: &Rules,
        place: Place,
        name: &[u8],
        value: &mut [u8],
        found: &mut Tally,
    ) {
        let described = rules.describes().then(|| value.to_vec());
        if self.overwrite(value) {
            self.count(rules, place, name, value.len() as u64, found);
            self.describe(rules, place, name, &described.unwrap_or_default(), found);
        }
    }

    /// Describes a copy of the value of the variable `name`, which was hidden.
    pub(super) fn describe(
        &self,
        rules: &Rules,
        place: Place,
        name: &[u8],
        value: &[u8],
        found: &mut Tally,
    ) {
        if rules.describes()
            && let Some(rule) = self.hiding(rules, place, name).next()
        {
            rules.describe_value(rule, place, value, found);
        }
    }

    /// Overwrites a value, or a part of one. Returns whether it was not masked before.
    pub(super) fn overwrite(&self, value: &mut [u8]) -> bool {
        let masked = self.is_masked(value);
        value.fill(self.mask);
        !masked
    }

    /// Counts one value of the variable `name` as hidden.
    pub(super) fn count(
        &self,
        rules: &Rules,
        place: Place,
        name: &[u8],
        bytes: u64,
        found: &mut Tally,
    ) {
        for rule in self.hiding(rules, place, name) {
            found.add(rule, place, Count { masks: 1, bytes });
        }
    }

    /// Learns the value of the variable `name`, which a rule selects.
    pub(super) fn learn(&mut self, rules: &Rules, name: &str, value: &[u8]) -> Result<(), Error> {
        if self.is_masked(value) {
            return Ok(());
        }
        if value.len() < self.min_length {
            self.too_short.insert(value.to_vec());
            return self.check_bounds(value.len());
        }
        if self.seen.contains(value) {
            return Ok(());
        }
        self.seen.insert(value.to_vec());
        self.add(name, value.to_vec())?;
        // Earlier copies in this pass look like this if other rules masked a part of the value.
        let mut masked = value.to_vec();
        mask(rules, EVERYWHERE, &mut masked, &mut Tally::default());
        let mut forms: BTreeSet<_> = json_forms(value).collect();
        forms.insert(masked);
        forms.retain(|form| form != value && !self.is_masked(form));
        forms.into_iter().try_for_each(|form| self.add(name, form))
    }

    /// The plan's rules that hide the variable `name` in `place`.
    fn hiding<'a>(
        &'a self,
        rules: &'a Rules,
        place: Place,
        name: &'a [u8],
    ) -> impl Iterator<Item = usize> + 'a {
        let there = move |rule: &usize| {
            let places = self.places.get(*rule);
            places.is_some_and(|places| places.contains(&place))
        };
        rules.selecting(name).filter(there)
    }

    /// Whether an earlier pass has masked it: then it is no secret and is not counted again.
    fn is_masked(&self, value: &[u8]) -> bool {
        value.iter().all(|byte| *byte == self.mask)
    }

    fn add(&mut self, name: &str, value: Vec<u8>) -> Result<(), Error> {
        self.check_bounds(value.len())?;
        self.values.push(EnvValue {
            name: name.to_owned(),
            value,
        });
        self.changed = true;
        Ok(())
    }

    fn check_bounds(&mut self, length: usize) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(length);
        let count = self.values.len() + self.too_short.len();
        if count > MAX_VALUES || self.bytes > MAX_BYTES {
            return Err(Error::BadTar("the processes' environments are too large"));
        }
        Ok(())
    }
}

/// `value` as it stands in a JSON string: as most encoders write it, and as Go does.
fn json_forms(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let text = std::str::from_utf8(value)
        .ok()
        .and_then(|text| serde_json::to_string(text).ok());
    let plain = text.map(|text| text.get(1..text.len() - 1).unwrap_or_default().to_owned());
    let go = plain.as_ref().map(|text| {
        text.replace('&', "\\u0026")
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
    });
    plain.into_iter().chain(go).map(String::into_bytes)
}
