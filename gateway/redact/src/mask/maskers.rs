//! Masks bytes under the rules of several places, one place after the other.

use std::io::BufRead;

use gateway_core::Place;

use crate::Error;
use crate::search::{Masker, Rules, Tally};
use crate::sink::Sink;
use crate::stream::read_pieces;

/// Masks one stream.
#[derive(Debug)]
pub(super) struct Maskers<'r>(Vec<Masker<'r>>);

impl<'r> Maskers<'r> {
    /// Maskers for those of the places in which any rule searches.
    pub(super) fn new(rules: &'r Rules, places: &[Place]) -> Self {
        let searched = places.iter().filter(|place| rules.searches(**place));
        Self(searched.map(|place| rules.masker(*place)).collect())
    }

    /// Takes the next bytes and writes what is final.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut dyn Sink) -> Result<(), Error> {
        push_through(&mut self.0, bytes, out)
    }

    /// Writes the rest, and adds to `found` what was masked.
    pub(super) fn finish(self, found: &mut Tally, out: &mut dyn Sink) -> Result<(), Error> {
        let mut maskers = self.0.into_iter();
        while let Some(mut masker) = maskers.next() {
            masker.finish(&mut |bytes: &[u8]| push_through(maskers.as_mut_slice(), bytes, out))?;
            found.merge(masker.tally());
        }
        Ok(())
    }

    /// Masks everything that is left of `input`.
    pub(super) fn copy(
        mut self,
        input: &mut dyn BufRead,
        found: &mut Tally,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        read_pieces(input, |bytes| self.push(bytes, out))?;
        self.finish(found, out)
    }
}

/// Masks `bytes` in place.
pub(super) fn mask(rules: &Rules, places: &[Place], bytes: &mut [u8], found: &mut Tally) {
    for place in places {
        rules.mask_whole(*place, bytes, found);
    }
}

fn push_through(maskers: &mut [Masker<'_>], bytes: &[u8], out: &mut dyn Sink) -> Result<(), Error> {
    match maskers.split_first_mut() {
        None => out.put(bytes),
        Some((first, rest)) => {
            first.push(bytes, &mut |bytes: &[u8]| push_through(rest, bytes, out))
        }
    }
}
