use std::io::{BufRead, Read};

use gateway_core::Place;

use super::extension::Text;
use super::header::{BLOCK, Kind, padding};
use super::member::{Member, Next};
use super::plan::Drops;
use super::screen::{EVERYWHERE, Screen, copy, mask, pieces};
use crate::Error;
use crate::search::{Rules, Tally};
use crate::sink::Sink;

/// An archive inside the archive: files, their names and where links point are looked at under the rules for files,
/// entries may be left out.
#[derive(Debug)]
pub(super) struct Inner<'a> {
    pub(super) rules: &'a Rules,
    pub(super) drops: &'a mut Drops,
    /// The name of the member that it is.
    pub(super) member: &'a [u8],
    pub(super) found: &'a mut Tally,
    /// How many more entries there may be.
    pub(super) left: &'a mut u64,
}

impl Inner<'_> {
    /// Goes through `input` and writes what is left of it; tells whether an entry was left out.
    pub(super) fn run(
        &mut self,
        input: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<bool, Error> {
        let mut dropped = false;
        loop {
            match Member::next(input)? {
                Next::Member(entry) => {
                    count(self.left)?;
                    dropped |= self.entry(&entry, input, out)?;
                }
                // Some writers leave out the end.
                Next::Cut => return Ok(dropped),
                Next::End => {
                    return ending(input, out).map(|()| dropped);
                }
            }
        }
    }

    fn entry(
        &mut self,
        entry: &Member,
        input: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<bool, Error> {
        // A hard link to what is left out could not be unpacked any more.
        let dropped = self.drops.take_entry(self.member, &entry.name)
            || entry.kind() == Kind::HardLink && self.drops.take_entry(self.member, &entry.link);
        if dropped {
            return skip(input, entry.size).map(|()| true);
        }
        let front = entry.front(|kind, text| match kind {
            Text::Name => mask(self.rules, &[Place::Files], text, self.found),
            Text::Data => mask(self.rules, EVERYWHERE, text, self.found),
        })?;
        out.put(&front)?;
        let mut content = input.take(entry.size);
        let screen = Screen::new(self.rules, &[Place::Files]);
        copy(&mut content, screen, self.found, &mut |bytes| {
            out.put(bytes)
        })?;
        whole(content.limit())?;
        pad(input, entry.size, out).map(|()| false)
    }
}

/// Counts one more member.
pub(super) fn count(left: &mut u64) -> Result<(), Error> {
    *left = left
        .checked_sub(1)
        .ok_or(Error::BadTar("it has too many members"))?;
    Ok(())
}

/// Whether contents came to their end.
pub(super) fn whole(missing: u64) -> Result<(), Error> {
    if missing == 0 {
        Ok(())
    } else {
        Err(Error::Truncated)
    }
}

/// Passes on the end of an archive. Some readers look for more behind it, and nothing there would be looked at.
pub(super) fn ending(input: &mut dyn BufRead, out: &mut dyn Sink) -> Result<(), Error> {
    out.put(&[0; BLOCK])?;
    pieces(input, |bytes| {
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(Error::BadTar("something follows the end"));
        }
        out.put(bytes)
    })
}

/// Reads over contents of `size` bytes and what fills up their last block.
pub(super) fn skip(input: &mut dyn BufRead, size: u64) -> Result<(), Error> {
    let mut content = input.take(size.saturating_add(padding(size) as u64));
    pieces(&mut content, |_| Ok(()))?;
    whole(content.limit())
}

/// What fills up a last block is not looked at, so it is not passed on either.
pub(super) fn pad(input: &mut dyn BufRead, size: u64, out: &mut dyn Sink) -> Result<(), Error> {
    let mut padding = vec![0; padding(size)];
    super::member::read_exact(input, &mut padding)?;
    padding.fill(0);
    out.put(&padding)
}
