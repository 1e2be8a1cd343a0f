//! The search engine as the measurements call it.

use std::convert::Infallible;

use gateway_core::{Place, Plan};
use gateway_redact::search::{EnvValue, RuleError, Rules, SearchSettings, Tally};

/// A compiled plan.
pub(crate) struct Engine(Rules);

impl Engine {
    pub(crate) fn new(plan: &Plan, values: &[EnvValue]) -> Result<Self, RuleError> {
        Rules::compile(plan, values, &SearchSettings::default()).map(Self)
    }

    /// As on a processor without AVX-512.
    pub(crate) fn narrow(plan: &Plan, values: &[EnvValue]) -> Result<Self, RuleError> {
        let settings = SearchSettings {
            avx512: false,
            ..SearchSettings::default()
        };
        Rules::compile(plan, values, &settings).map(Self)
    }

    /// Masks a stream that comes in pieces; returns the number of matches.
    pub(crate) fn stream<'b>(
        &self,
        pieces: impl IntoIterator<Item = &'b [u8]>,
        mut out: impl FnMut(&[u8]),
    ) -> u64 {
        let mut masker = self.0.masker(Place::Memory);
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
        self.0.mask_whole(Place::Memory, bytes, &mut tally);
        masks(&tally)
    }
}

fn masks(tally: &Tally) -> u64 {
    tally.iter().map(|(_, _, count)| count.masks).sum()
}
