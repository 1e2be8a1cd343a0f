use std::collections::BTreeSet;

use gateway_core::Place;

use super::screen::{EVERYWHERE, Found, mask};
use crate::Error;
use crate::scan::{EnvValue, Rules};

/// The most values that one checkpoint may teach: beyond any real one, so that a hostile one cannot fill the memory.
const MAX_VALUES: usize = 16_384;
/// All values together, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// The values of environment variables that are to be hidden: told in advance, or learnt from the archive.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// All that are searched for.
    values: Vec<EnvValue>,
    seen: BTreeSet<Vec<u8>>,
    short: BTreeSet<Vec<u8>>,
    bytes: usize,
    min_length: usize,
    mask: u8,
    news: bool,
}

impl Known {
    pub(super) fn new(min_length: usize, mask: u8) -> Self {
        Self { min_length, mask, ..Self::default() }
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
        mask(rules, EVERYWHERE, &mut masked, &mut Found::default())?;
        let worth_it = masked != value && masked.iter().any(|byte| *byte != self.mask);
        if worth_it { self.add(name, masked) } else { Ok(()) }
    }

    fn add(&mut self, name: &str, value: Vec<u8>) -> Result<(), Error> {
        self.bound(value.len())?;
        self.values.push(EnvValue { name: name.to_owned(), value });
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

/// Whether the value of the variable `name` is to be hidden in `place`.
pub(super) fn hides(rules: &Rules, place: Place, name: &[u8]) -> bool {
    rules.looks_in(place)
        && std::str::from_utf8(name)
            .map_or_else(|_| rules.selects(&String::from_utf8_lossy(name)), |name| rules.selects(name))
}
