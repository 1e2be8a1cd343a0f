use std::collections::BTreeSet;

use gateway_core::{Pattern, Place, Plan};

use super::screen::{EVERYWHERE, mask};
use super::settings::RedactionSettings;
use crate::Error;
use crate::search::{Count, EnvValue, Rules, Tally};

/// The most values that one checkpoint may teach: beyond any real one, so that a hostile one cannot fill the memory.
const MAX_VALUES: usize = 16_384;
/// All values together, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// The values of environment variables that are to be hidden: told in advance, or learnt from the archive.
/// Cannot be printed.
#[derive(Default)]
pub(super) struct Known {
    /// All that are searched for.
    values: Vec<EnvValue>,
    seen: BTreeSet<Vec<u8>>,
    short: BTreeSet<Vec<u8>>,
    bytes: usize,
    /// Where each of the plan's rules hides variables.
    places: Vec<BTreeSet<Place>>,
    min_length: usize,
    mask: u8,
    news: bool,
}

impl Known {
    pub(super) fn new(plan: &Plan, settings: &RedactionSettings) -> Self {
        let places = plan.mask.iter().map(|rule| match rule.pattern {
            Pattern::EnvValue(_) => rule.places.clone(),
            _ => BTreeSet::new(),
        });
        Self {
            places: places.collect(),
            min_length: settings.min_value_length.max(1),
            mask: settings.mask,
            ..Self::default()
        }
    }

    /// Whether a rule hides variables of this name in `place`.
    pub(super) fn hides(&self, rules: &Rules, place: Place, name: &[u8]) -> bool {
        self.hiding(rules, place, name).next().is_some()
    }

    /// Overwrites the value of the variable `name`, however short it is.
    pub(super) fn hide(
        &self,
        rules: &Rules,
        place: Place,
        name: &[u8],
        value: &mut [u8],
        found: &mut Tally,
    ) {
        if self.overwrite(value) {
            self.count(rules, place, name, value.len() as u64, found);
        }
    }

    /// Overwrites a value, or a part of one; tells whether anything else had been there.
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

    fn hiding<'a>(
        &'a self,
        rules: &'a Rules,
        place: Place,
        name: &'a [u8],
    ) -> impl Iterator<Item = usize> + 'a {
        let there = move |rule: &usize| {
            self.places
                .get(*rule)
                .is_some_and(|places| places.contains(&place))
        };
        rules.selecting(name).filter(there)
    }

    pub(super) fn values(&self) -> &[EnvValue] {
        &self.values
    }

    /// How many values are hidden, and how many more are too short to be searched for.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.seen.len() as u64, self.short.len() as u64)
    }

    /// Whether something was learnt since this was last asked.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Whether a pass before this one has masked it: then it is no value, and is not counted again.
    pub(super) fn is_masked(&self, value: &[u8]) -> bool {
        value.iter().all(|byte| *byte == self.mask)
    }

    /// The variable `name`, which a rule selects, has this value.
    pub(super) fn learn(&mut self, rules: &Rules, name: &str, value: &[u8]) -> Result<(), Error> {
        if self.is_masked(value) {
            return Ok(());
        }
        if value.len() < self.min_length {
            self.short.insert(value.to_vec());
            return self.bound(value.len());
        }
        if self.seen.contains(value) {
            return Ok(());
        }
        self.seen.insert(value.to_vec());
        self.add(name, value.to_vec())?;
        // Copies of it that this pass has met already look like this now, where other rules found a part of it.
        let mut masked = value.to_vec();
        mask(rules, EVERYWHERE, &mut masked, &mut Tally::default());
        let mut forms: BTreeSet<_> = escaped(value).collect();
        forms.insert(masked);
        forms.retain(|form| form != value && !self.is_masked(form));
        forms.into_iter().try_for_each(|form| self.add(name, form))
    }

    fn add(&mut self, name: &str, value: Vec<u8>) -> Result<(), Error> {
        self.bound(value.len())?;
        self.values.push(EnvValue {
            name: name.to_owned(),
            value,
        });
        self.news = true;
        Ok(())
    }

    fn bound(&mut self, length: usize) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(length);
        let many = self.values.len() + self.short.len();
        if many > MAX_VALUES || self.bytes > MAX_BYTES {
            return Err(Error::BadTar("the processes' environments are too large"));
        }
        Ok(())
    }
}

/// As it stands in JSON: as nearly everyone writes it, and as Go does.
fn escaped(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
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
