//! Masks an archive inside the archive.

use std::io::{BufRead, Read};

use gateway_core::Place;

use super::drops::DropList;
use super::maskers::{Maskers, mask};
use crate::Error;
use crate::content::EVERYWHERE;
use crate::search::{Rules, Tally};
use crate::sink::Sink;
use crate::stream::{ensure_complete, read_exact, read_pieces, skip};
use crate::tar::{BLOCK, HeaderText, Kind, Member, Next, padding};

/// Masks files, their names and the targets of links under the rules for files, and leaves out entries.
#[derive(Debug)]
pub(super) struct InnerMasker<'a> {
    pub(super) rules: &'a Rules,
    pub(super) drops: &'a mut DropList,
    /// The name of the member that the archive is.
    pub(super) member: &'a [u8],
    pub(super) found: &'a mut Tally,
    /// The number of further entries that are allowed.
    pub(super) members_left: &'a mut u64,
}

impl InnerMasker<'_> {
    /// Masks `input`. Returns whether an entry was left out.
    pub(super) fn run(
        &mut self,
        input: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<bool, Error> {
        let mut dropped = false;
        loop {
            match Member::next(input)? {
                Next::Member(entry) => {
                    count_member(self.members_left)?;
                    dropped |= self.entry(&entry, input, out)?;
                }
                // Some writers leave out the end.
                Next::NoEnd => return Ok(dropped),
                Next::End => return copy_end(input, out).map(|()| dropped),
            }
        }
    }

    fn entry(
        &mut self,
        entry: &Member,
        input: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<bool, Error> {
        // A hard link to an entry that is left out could not be unpacked.
        let dropped = self.drops.drops_entry(self.member, &entry.name)
            || entry.kind() == Kind::HardLink && self.drops.drops_entry(self.member, &entry.link);
        if dropped {
            return skip_contents(input, entry.size).map(|()| true);
        }
        let front = entry.front(|kind, text| match kind {
            HeaderText::Name => mask(self.rules, &[Place::Files], text, self.found),
            HeaderText::Data => mask(self.rules, EVERYWHERE, text, self.found),
        })?;
        out.put(&front)?;
        let mut content = input.take(entry.size);
        Maskers::new(self.rules, &[Place::Files]).copy(&mut content, self.found, out)?;
        ensure_complete(content.limit())?;
        drop_padding(input, entry.size)?;
        out.put(&vec![0; padding(entry.size)]).map(|()| false)
    }
}

/// Counts one more member against the limit.
pub(super) fn count_member(left: &mut u64) -> Result<(), Error> {
    *left = left
        .checked_sub(1)
        .ok_or(Error::BadTar("it has too many members"))?;
    Ok(())
}

/// Writes the end of an archive. Some readers look for more behind it, which nothing would have searched.
pub(super) fn copy_end(input: &mut dyn BufRead, out: &mut dyn Sink) -> Result<(), Error> {
    out.put(&[0; BLOCK])?;
    read_pieces(input, |bytes| {
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(Error::BadTar("something follows the end"));
        }
        out.put(bytes)
    })
}

/// Reads over contents of `size` bytes and their padding.
pub(super) fn skip_contents(input: &mut dyn BufRead, size: u64) -> Result<(), Error> {
    skip(input, size.saturating_add(padding(size) as u64))
}

/// Reads over the padding of contents of `size` bytes. It is written anew, since nothing searches it.
pub(super) fn drop_padding(input: &mut dyn BufRead, size: u64) -> Result<(), Error> {
    read_exact(input, &mut vec![0; padding(size)])
}
