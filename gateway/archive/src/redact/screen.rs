use std::collections::BTreeMap;
use std::io::BufRead;

use gateway_core::Place;

use crate::Error;
use crate::scan::{Masker, Rules, Tally};

/// Every place, for what cannot be told apart: it must not be a hole.
pub(super) const EVERYWHERE: &[Place] = &[Place::Spec, Place::Memory, Place::Logs, Place::Files];

/// Takes the next bytes of something that is written in pieces.
pub(super) type Out<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

/// What was hidden, by place.
#[derive(Debug, Default)]
pub(super) struct Found(pub(super) BTreeMap<Place, Tally>);

/// Masks a run of bytes under the rules of several places, one after the other.
#[derive(Debug)]
pub(super) struct Screen<'r> {
    maskers: Vec<(Place, Masker<'r>)>,
}

impl Found {
    pub(super) fn add(&mut self, place: Place, tally: &Tally) {
        self.0.entry(place).or_default().merge(tally);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(place, tally)| self.add(*place, tally));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.values().all(Tally::is_empty)
    }
}

impl<'r> Screen<'r> {
    pub(super) fn new(rules: &'r Rules, places: &[Place]) -> Self {
        let looked_in = places.iter().filter(|place| rules.looks_in(**place));
        Self { maskers: looked_in.map(|place| (*place, rules.masker(*place))).collect() }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), Error> {
        through(&mut self.maskers, bytes, out)
    }

    pub(super) fn finish(self, found: &mut Found, out: &mut Out<'_>) -> Result<(), Error> {
        let mut maskers = self.maskers.into_iter();
        while let Some((place, masker)) = maskers.next() {
            let tally = masker.finish(&mut |bytes: &[u8]| through(maskers.as_mut_slice(), bytes, out))?;
            found.add(place, &tally);
        }
        Ok(())
    }
}

/// Copies what is left of `content`, masked.
pub(super) fn copy(
    content: &mut dyn BufRead,
    mut screen: Screen<'_>,
    found: &mut Found,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    pieces(content, |bytes| screen.push(bytes, out))?;
    screen.finish(found, out)
}

/// All that is left of `content`, as it comes.
pub(super) fn pieces(
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
pub(super) fn mask(
    rules: &Rules,
    places: &[Place],
    bytes: &mut [u8],
    found: &mut Found,
) -> Result<(), Error> {
    let mut masked = Vec::with_capacity(bytes.len());
    let mut out = |bytes: &[u8]| {
        masked.extend_from_slice(bytes);
        Ok(())
    };
    let mut screen = Screen::new(rules, places);
    screen.push(bytes, &mut out)?;
    screen.finish(found, &mut out)?;
    if masked.len() != bytes.len() {
        return Err(Error::BrokeArchive("masking changed a length".to_owned()));
    }
    bytes.copy_from_slice(&masked);
    Ok(())
}

fn through(maskers: &mut [(Place, Masker<'_>)], bytes: &[u8], out: &mut Out<'_>) -> Result<(), Error> {
    match maskers.split_first_mut() {
        None => out(bytes),
        Some(((_, first), rest)) => first.push(bytes, &mut |bytes: &[u8]| through(rest, bytes, out)),
    }
}
