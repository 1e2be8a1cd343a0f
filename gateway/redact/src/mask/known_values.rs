//! Values of environment variables that must be hidden.

use std::collections::BTreeSet;

use gateway_core::{Place, Plan, one_line};

use super::maskers::mask;
use super::ordinary_names::OrdinaryNames;
use super::settings::{CommonValues, RedactionSettings};
use crate::Error;
use crate::content::EVERYWHERE;
use crate::search::{Count, EnvValue, Rules, Tally, credentials, decoded, is_common};

/// The most values of one checkpoint: more than any real one has, and few enough for the memory.
const MAX_VALUES: usize = 16_384;
/// The most names of variables in a summary, and the bytes of one.
const MAX_NAMES: usize = 1000;
const MAX_NAME: usize = 256;
/// All values together, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// Values that the caller knows, or that were learnt from the archive. No `Debug`: they are secrets.
#[derive(Default)]
pub(super) struct KnownValues {
    /// The variables and their values.
    values: Vec<Known>,
    seen: BTreeSet<(String, Vec<u8>)>,
    /// The values alone.
    distinct: BTreeSet<Vec<u8>>,
    too_short: BTreeSet<Vec<u8>>,
    /// As values, these are ordinary text.
    names: OrdinaryNames,
    common: CommonValues,
    bytes: usize,
    /// The places in which each of the plan's rules hides variables.
    places: Vec<BTreeSet<Place>>,
    min_length: usize,
    mask: u8,
    /// Whether a value was added since the last call of [`KnownValues::take_changed`].
    changed: bool,
}

/// A value of a variable.
struct Known {
    name: String,
    value: Vec<u8>,
    /// Whether it is the whole value, and not a credential in one, or a form of one.
    whole: bool,
}

/// The values to search for.
#[derive(Default)]
pub(super) struct Wanted {
    /// Wherever they occur.
    pub(super) everywhere: Vec<EnvValue>,
    /// Behind their variables' names only.
    pub(super) named: Vec<EnvValue>,
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
            common: settings.common_values,
            ..Self::default()
        }
    }

    /// The values to search for.
    pub(super) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        for Known { name, value, whole } in &self.values {
            let value = EnvValue {
                name: name.clone(),
                value: value.clone(),
            };
            let named = self.is_common(&value.value) || value.value.len() < self.min_length;
            if !named {
                wanted.everywhere.push(value);
            } else if *whole {
                wanted.named.push(value);
            }
        }
        wanted
    }

    /// The number of values that are searched for everywhere, and of those that are too short for it.
    pub(super) fn counts(&self) -> (u64, u64) {
        let whole = self
            .values
            .iter()
            .filter(|known| known.whole && known.value.len() >= self.min_length);
        let everywhere = whole.filter(|known| !self.is_common(&known.value));
        let distinct: BTreeSet<&[u8]> = everywhere.map(|known| known.value.as_slice()).collect();
        (distinct.len() as u64, self.too_short.len() as u64)
    }

    /// The variables whose values cannot be told from ordinary text, in order.
    pub(super) fn common_names(&self) -> Vec<String> {
        let whole = self
            .values
            .iter()
            .filter(|known| known.whole && known.value.len() >= self.min_length);
        let common = whole.filter(|known| self.is_common(&known.value));
        let names: BTreeSet<&str> = common.map(|known| known.name.as_str()).collect();
        names
            .into_iter()
            .take(MAX_NAMES)
            .map(|name| one_line(name, MAX_NAME))
            .collect()
    }

    /// Names of what the container is and has.
    pub(super) fn names(&mut self) -> &mut OrdinaryNames {
        &mut self.names
    }

    /// Overwrites what in `text`, which should be a variable's name, is a piece of a value: a process has written something else
    /// over its environment.
    pub(super) fn hide_pieces(&self, rules: &Rules, text: &mut [u8], found: &mut Tally) {
        let pieces = rules.find_pieces(text);
        if pieces.is_empty() || rules.selects(text) || self.names.has(text) {
            return;
        }
        for (rule, range) in pieces {
            let bytes = range.len() as u64;
            if text
                .get_mut(range)
                .is_some_and(|piece| self.overwrite(piece))
            {
                found.add(rule, Place::Memory, Count { masks: 1, bytes });
            }
        }
    }

    /// Whether `value` cannot be told from ordinary text.
    fn is_common(&self, value: &[u8]) -> bool {
        self.common == CommonValues::Variable && (is_common(value) || self.names.has(value))
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
        if self.is_masked(value) || !self.seen.insert((name.to_owned(), value.to_vec())) {
            return Ok(());
        }
        if value.len() < self.min_length {
            self.too_short.insert(value.to_vec());
        }
        let is_new = self.distinct.insert(value.to_vec());
        let is_short = value.len() < self.min_length;
        let changed = self.changed;
        self.add(name, value.to_vec(), true)?;
        // No further pass for a value that is searched for already, or that is masked in environments as it is read.
        if is_short || !is_new && !self.is_common(value) {
            self.changed = changed;
            return Ok(());
        }
        let mut forms = BTreeSet::new();
        for range in credentials(value) {
            let text = value.get(range).unwrap_or_default();
            forms.extend(decoded(text));
            forms.insert(text.to_vec());
        }
        // Earlier copies in this pass look like this if other rules masked a part of the value.
        let mut masked = value.to_vec();
        mask(rules, EVERYWHERE, &mut masked, &mut Tally::default());
        forms.insert(masked);
        forms
            .retain(|form| form != value && form.len() >= self.min_length && !self.is_masked(form));
        forms
            .into_iter()
            .try_for_each(|form| self.add(name, form, false))
    }

    /// Notes a variable that no rule selects. If the plan judges names, the credentials within the value are learnt: the password
    /// in `DATABASE_URL` is as secret as one in `DB_PASSWORD`. They go by a name of their own, which tells.
    pub(super) fn pass_over(
        &mut self,
        rules: &Rules,
        name: &[u8],
        value: &[u8],
    ) -> Result<(), Error> {
        self.names.add_variable(name, value);
        if !rules.judges_names() {
            return Ok(());
        }
        let name = format!("{} credential", String::from_utf8_lossy(name));
        for range in credentials(value) {
            let text = value.get(range).unwrap_or_default();
            for form in decoded(text).into_iter().chain([text.to_vec()]) {
                let is_long = form.len() >= self.min_length && !self.is_masked(&form);
                if is_long && self.seen.insert((name.clone(), form.clone())) {
                    self.add(&name, form, false)?;
                }
            }
        }
        Ok(())
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

    fn add(&mut self, name: &str, value: Vec<u8>, whole: bool) -> Result<(), Error> {
        self.check_bounds(value.len())?;
        self.values.push(Known {
            name: name.to_owned(),
            value,
            whole,
        });
        self.changed = true;
        Ok(())
    }

    fn check_bounds(&mut self, length: usize) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(length);
        let count = self.values.len();
        if count > MAX_VALUES || self.bytes > MAX_BYTES {
            return Err(Error::BadTar("the processes' environments are too large"));
        }
        Ok(())
    }
}
