//! The scan engine for benches and for tests of the whole crate: no part of the room's door.

use gateway_core::{Place, Plan};

pub use super::{EnvValue, ScanError};
use super::{Rules, ScanSettings, Tally};

/// A compiled plan.
#[derive(Debug)]
pub struct Scan(Rules);

impl Scan {
    /// Compiles with the settings that hold without any.
    pub fn new(plan: &Plan, values: &[EnvValue]) -> Result<Self, ScanError> {
        Rules::compile(plan, values, &ScanSettings::default()).map(Self)
    }

    /// Whether it looks in `place` at all, and for the values of variables of that name.
    pub fn wants(&self, place: Place, variable: &str) -> (bool, bool) {
        (self.0.looks_in(place), self.0.selects(variable.as_bytes()))
    }

    /// Sends pieces through a stream; tells how many matches were hidden.
    pub fn stream<'b>(
        &self,
        place: Place,
        pieces: impl IntoIterator<Item = &'b [u8]>,
        mut out: impl FnMut(&[u8]),
    ) -> u64 {
        let mut masker = self.0.masker(place);
        let mut out = |piece: &[u8]| -> Result<(), std::convert::Infallible> {
            out(piece);
            Ok(())
        };
        for piece in pieces {
            let Ok(()) = masker.push(piece, &mut out);
        }
        let Ok(()) = masker.finish(&mut out);
        masks(masker.tally())
    }

    /// Hides in place; tells how many matches were hidden.
    pub fn whole(&self, place: Place, bytes: &mut [u8]) -> u64 {
        let mut tally = Tally::default();
        self.0.mask_whole(place, bytes, &mut tally);
        masks(&tally)
    }
}

fn masks(tally: &Tally) -> u64 {
    tally.iter().map(|(_, _, count)| count.masks).sum()
}
