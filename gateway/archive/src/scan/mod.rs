//! Looking for what a plan hides: literals and the values of environment variables, byte by byte. To be replaced by the
//! matcher of its own; the signatures stay.

mod needle;
mod tally;

use std::collections::BTreeSet;
use std::fmt;

use gateway_core::{Pattern, Place, Plan};

pub(crate) use tally::{Count, Tally};

/// An environment variable that a rule of the plan selects, with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvValue {
    /// The variable's name.
    pub name: String,
    /// What must not be seen.
    pub value: Vec<u8>,
}

impl fmt::Debug for EnvValue {
    /// Without the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvValue").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How matches are hidden, and which values are worth a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanSettings {
    /// Overwrites what is hidden.
    pub(crate) mask: u8,
    /// Shorter values are not searched for.
    pub(crate) min_value_length: usize,
    /// The most needles.
    pub(crate) max_needles: usize,
}

impl Default for ScanSettings {
    fn default() -> Self {
        Self { mask: b'*', min_value_length: 6, max_needles: 4096 }
    }
}

/// Why a rule cannot be carried out.
#[derive(Debug, thiserror::Error)]
#[error("rule `{rule}`: {reason}")]
pub struct ScanError {
    rule: String,
    reason: String,
}

/// What a plan hides, ready to be searched for.
#[derive(Debug)]
pub(crate) struct Rules {
    needles: Vec<Needle>,
    globs: Vec<Glob>,
    mask: u8,
}

#[derive(Debug)]
struct Needle {
    rule: usize,
    places: BTreeSet<Place>,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Glob {
    rule: usize,
    places: BTreeSet<Place>,
    pattern: String,
}

/// Masks one run of bytes that comes in pieces.
#[derive(Debug)]
pub(crate) struct Masker<'a> {
    rules: &'a Rules,
    place: Place,
    held: Vec<u8>,
    hidden: Vec<bool>,
    tally: Tally,
}

impl Rules {
    pub(crate) fn compile(
        plan: &Plan,
        values: &[EnvValue],
        settings: &ScanSettings,
    ) -> Result<Self, ScanError> {
        let mut rules = Self { needles: Vec::new(), globs: Vec::new(), mask: settings.mask };
        for (rule, mask) in plan.mask.iter().enumerate() {
            let places = mask.places.clone();
            match &mask.pattern {
                Pattern::Literal(bytes) if !bytes.is_empty() => {
                    rules.needles.push(Needle { rule, places, bytes: bytes.clone() });
                }
                Pattern::EnvValue(pattern) => {
                    let long = |value: &&EnvValue| value.value.len() >= settings.min_value_length.max(1);
                    for value in values.iter().filter(long).filter(|value| matches(pattern, &value.name)) {
                        rules.needles.extend(needle::forms(&value.value).into_iter().map(|bytes| Needle {
                            rule,
                            places: places.clone(),
                            bytes,
                        }));
                    }
                    rules.globs.push(Glob { rule, places, pattern: pattern.clone() });
                }
                _ => {
                    return Err(ScanError {
                        rule: mask.name.clone(),
                        reason: "not understood yet".to_owned(),
                    });
                }
            }
        }
        let many = rules.needles.len() > settings.max_needles;
        let last = plan.mask.last().filter(|_| many);
        last.map_or(Ok(rules), |last| {
            Err(ScanError { rule: last.name.clone(), reason: "too much to look for".to_owned() })
        })
    }

    pub(crate) fn looks_in(&self, place: Place) -> bool {
        self.needles.iter().any(|needle| needle.places.contains(&place))
            || self.globs.iter().any(|glob| glob.places.contains(&place))
    }

    pub(crate) fn selects(&self, name: &[u8]) -> bool {
        self.selecting(name).next().is_some()
    }

    pub(crate) fn selecting<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        self.globs
            .iter()
            .filter(|glob| matches(&glob.pattern, &String::from_utf8_lossy(name)))
            .map(|glob| glob.rule)
    }

    pub(crate) fn masker(&self, place: Place) -> Masker<'_> {
        Masker { rules: self, place, held: Vec::new(), hidden: Vec::new(), tally: Tally::default() }
    }

    /// Hides in place, in a whole stream that is at hand.
    pub(crate) fn mask_whole(&self, place: Place, bytes: &mut [u8], tally: &mut Tally) {
        let (mut masker, mut all) = (self.masker(place), Vec::with_capacity(bytes.len()));
        let mut out = |piece: &[u8]| {
            all.extend_from_slice(piece);
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(()) = masker.push(bytes, &mut out).and_then(|()| masker.finish(&mut out));
        tally.merge(masker.tally());
        bytes.copy_from_slice(&all);
    }
}

impl Masker<'_> {
    pub(crate) fn push<E>(
        &mut self,
        bytes: &[u8],
        out: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let seen = self.held.len();
        self.held.extend_from_slice(bytes);
        self.hidden.resize(self.held.len(), false);
        let mut longest = 1;
        let mut first: Vec<Vec<&Needle>> = vec![Vec::new(); 256];
        for needle in self.rules.needles.iter().filter(|needle| needle.places.contains(&self.place)) {
            longest = longest.max(needle.bytes.len());
            let starts = needle.bytes.first().and_then(|byte| first.get_mut(usize::from(*byte)));
            if let Some(starts) = starts {
                starts.push(needle);
            }
        }
        for (at, byte) in self.held.iter().enumerate() {
            for needle in first.get(usize::from(*byte)).into_iter().flatten() {
                let end = at + needle.bytes.len();
                if end > seen && self.held.get(at..end) == Some(&needle.bytes) {
                    let bytes = needle.bytes.len() as u64;
                    self.tally.add(needle.rule, self.place, Count { masks: 1, bytes });
                    self.hidden.get_mut(at..end).unwrap_or_default().fill(true);
                }
            }
        }
        self.release(longest - 1, out)
    }

    pub(crate) fn finish<E>(&mut self, out: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        self.release(0, out)
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    fn release<E>(&mut self, keep: usize, out: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let ready = self.held.len().saturating_sub(keep);
        let mut bytes: Vec<u8> = self.held.drain(..ready).collect();
        for (byte, hidden) in bytes.iter_mut().zip(self.hidden.drain(..ready)) {
            *byte = if hidden { self.rules.mask } else { *byte };
        }
        if bytes.is_empty() { Ok(()) } else { out(&bytes) }
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}
