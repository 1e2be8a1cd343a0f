use std::io::BufRead;

use gateway_core::Place;

use crate::Error;
use crate::search::{Masker, Rules, Tally};

/// Every place, for what cannot be told apart: it must not be a hole.
pub(super) const EVERYWHERE: &[Place] = &[Place::Spec, Place::Memory, Place::Logs, Place::Files];

/// Takes the next bytes of something that is written in pieces.
pub(super) type Out<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

/// Masks a run of bytes under the rules of several places, one after the other.
#[derive(Debug)]
pub(super) struct Screen<'r> {
    maskers: Vec<Masker<'r>>,
}

impl<'r> Screen<'r> {
    pub(super) fn new(rules: &'r Rules, places: &[Place]) -> Self {
        let looked_in = places.iter().filter(|place| rules.looks_in(**place));
        Self {
            maskers: looked_in.map(|place| rules.masker(*place)).collect(),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), Error> {
        through(&mut self.maskers, bytes, out)
    }

    pub(super) fn finish(self, found: &mut Tally, out: &mut Out<'_>) -> Result<(), Error> {
        let mut maskers = self.maskers.into_iter();
        while let Some(mut masker) = maskers.next() {
            masker.finish(&mut |bytes: &[u8]| through(maskers.as_mut_slice(), bytes, out))?;
            found.merge(masker.tally());
        }
        Ok(())
    }
}

/// Copies what is left of `content`, masked.
pub(super) fn copy(
    content: &mut dyn BufRead,
    mut screen: Screen<'_>,
    found: &mut Tally,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    pieces(content, |bytes| screen.push(bytes, out))?;
    screen.finish(found, out)
}

/// All that is left of `content`, as it comes.
pub(crate) fn pieces(
    content: &mut dyn BufRead,
    mut take: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    loop {
        let length = match content.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(bytes) => take(bytes).map(|()| bytes.len())?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(Error::reading(error)),
        };
        content.consume(length);
    }
}

/// Masks `bytes` where they stand.
pub(super) fn mask(rules: &Rules, places: &[Place], bytes: &mut [u8], found: &mut Tally) {
    for place in places {
        rules.mask_whole(*place, bytes, found);
    }
}

fn through(maskers: &mut [Masker<'_>], bytes: &[u8], out: &mut Out<'_>) -> Result<(), Error> {
    match maskers.split_first_mut() {
        None => out(bytes),
        Some((first, rest)) => first.push(bytes, &mut |bytes: &[u8]| through(rest, bytes, out)),
    }
}
