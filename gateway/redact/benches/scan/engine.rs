//! The search engine as the measurements call it.

use std::convert::Infallible;

use gateway_core::{Place, Plan};
use gateway_redact::search::{EnvValue, RuleError, Rules, SearchSettings, Tally};

/// A compiled plan, and where it searches.
pub(crate) struct Engine(Rules, Place);

impl Engine {
    /// For memory.
    pub(crate) fn new(plan: &Plan, values: &[EnvValue]) -> Result<Self, RuleError> {
        Self::of(plan, values, Place::Memory)
    }

    pub(crate) fn of(plan: &Plan, values: &[EnvValue], place: Place) -> Result<Self, RuleError> {
        let rules = Rules::compile(plan, values, &SearchSettings::default())?;
        Ok(Self(rules, place))
    }

    /// As on a processor without AVX-512.
    pub(crate) fn narrow(plan: &Plan, values: &[EnvValue]) -> Result<Self, RuleError> {
        let settings = SearchSettings {
            avx512: false,
            ..SearchSettings::default()
        };
        Rules::compile(plan, values, &settings).map(|rules| Self(rules, Place::Memory))
    }

    /// Masks a stream that comes in pieces; returns the number of matches.
    pub(crate) fn stream<'b>(
        &self,
        pieces: impl IntoIterator<Item = &'b [u8]>,
        mut out: impl FnMut(&[u8]),
    ) -> u64 {
        let mut masker = self.0.masker(self.1);
        let mut out = |piece: &[u8]| -> Result<(), Infallible> {
            out(piece);
            Ok(())
        };
        for piece in pieces {
            let Ok(()) = masker.push(piece, &mut out);
        }
        let Ok(()) = masker.finish(&mut out);
        masks(masker.tally())
    }

    /// Masks in place; returns the number of matches.
    pub(crate) fn whole(&self, bytes: &mut [u8]) -> u64 {
        let mut tally = Tally::default();
        self.0.mask_whole(self.1, bytes, &mut tally);
        masks(&tally)
    }
}

fn masks(tally: &Tally) -> u64 {
    tally.iter().map(|(_, _, count)| count.masks).sum()
}
