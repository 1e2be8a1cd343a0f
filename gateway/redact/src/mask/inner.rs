//! Masks an archive inside the archive.

use std::io::{BufRead, Read};

use gateway_core::Place;

use super::dropped_entries::DroppedEntries;
use super::drops::DropList;
use super::framing::{copy_end, count_member, drop_padding, skip_contents};
use super::maskers::{Maskers, mask};
use crate::Error;
use crate::content::EVERYWHERE;
use crate::search::{Rules, Tally};
use crate::sink::Sink;
use crate::stream::ensure_complete;
use crate::tar::{HeaderText, Member, Next, padding};

/// Masks files, their names and the targets of links under the rules for files, and leaves out entries.
#[derive(Debug)]
pub(super) struct InnerMasker<'a> {
    pub(super) rules: &'a Rules,
    pub(super) drops: &'a mut DropList,
    /// The entries that are left out, if any are.
    pub(super) dropped: Option<&'a DroppedEntries>,
    pub(super) found: &'a mut Tally,
    /// The number of further entries that are allowed.
    pub(super) members_left: &'a mut u64,
}

impl InnerMasker<'_> {
    /// Masks `input`. Returns whether an entry was left out, or anything but contents has changed.
    pub(super) fn run(
        &mut self,
        input: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<bool, Error> {
        let mut changed = false;
        loop {
            match Member::next(input)? {
                Next::Member(entry) => {
                    count_member(self.members_left)?;
                    changed |= self.entry(&entry, input, out)?;
                }
                // Some writers leave out the end.
                Next::NoEnd => return Ok(changed),
                Next::End => return copy_end(input, out).map(|()| changed),
            }
        }
    }

    fn entry(
        &mut self,
        entry: &Member,
        input: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<bool, Error> {
        if let Some(rule) = self.dropped.and_then(|dropped| dropped.rule(entry)) {
            self.drops.add_entry(rule);
            return skip_contents(input, entry.size).map(|()| true);
        }
        let front = entry.front(|kind, text| match kind {
            HeaderText::Name | HeaderText::Link => {
                mask(self.rules, &[Place::Files], text, self.found);
            }
            HeaderText::Data => mask(self.rules, EVERYWHERE, text, self.found),
            HeaderText::Block => mask(self.rules, EVERYWHERE, text, &mut Tally::default()),
        })?;
        out.put(&front)?;
        let mut content = input.take(entry.size);
        Maskers::new(self.rules, &[Place::Files]).copy(&mut content, self.found, out)?;
        ensure_complete(content.limit())?;
        let is_clean = drop_padding(input, entry.size)?;
        out.put(&vec![0; padding(entry.size)])?;
        Ok(!is_clean || !entry.is_front(&front))
    }
}
