//! One pass over an archive, member by member.

mod archives;
mod documents;
mod images;
mod packed_pages;

use std::io::{BufRead, Read};

use gateway_core::{Place, Plan};

use super::budget::Budget;
use super::dropped_members::DroppedMembers;
use super::drops::DropList;
use super::framing::{copy_end, drop_padding, skip_contents};
use super::inventory::Inventory;
use super::known_values::KnownValues;
use super::layout::Layout;
use super::maskers::{Maskers, mask};
use super::nested::Notes;
use super::open_files::OpenFiles;
use super::passed_over::{NotLookedAt, PassedOver};
use super::paths::Paths;
use super::settings::RedactionSettings;
use super::spool::Storage;
use crate::Error;
use crate::content::{Content, EVERYWHERE, is_known_name};
use crate::search::{Rules, Tally};
use crate::sink::Sink;
use crate::stream::{ensure_complete, read_pieces};
use crate::tar::{BLOCK, HeaderText, Kind, Member, Next, for_error, normalize, padding};
use crate::unpack::{Format, START, Source};

/// The settings and the state of a pass. The state is the next pass's, too.
pub(super) struct Pass<'a> {
    pub(super) plan: &'a Plan,
    pub(super) settings: &'a RedactionSettings,
    pub(super) rules: &'a Rules,
    pub(super) drops: &'a mut DropList,
    pub(super) layout: &'a mut Layout,
    pub(super) known: &'a mut KnownValues,
    pub(super) found: &'a mut Tally,
    pub(super) inventory: &'a mut Inventory,
    /// Names of documents that are not JSON.
    pub(super) unreadable: &'a mut Vec<String>,
    /// Members that were not looked at.
    pub(super) passed_over: &'a mut NotLookedAt,
    pub(super) storage: &'a dyn Storage,
    pub(super) paths: &'a mut Paths,
    /// The members so far that were left out.
    pub(super) dropped: DroppedMembers,
    pub(super) budget: &'a Budget,
    pub(super) open: &'a mut OpenFiles,
    /// Contents that could not be searched or masked.
    pub(super) notes: &'a mut Notes,
}

impl Pass<'_> {
    /// Reads all of `input` and writes what is left of it.
    pub(super) fn run(&mut self, input: &mut dyn BufRead, out: &mut dyn Sink) -> Result<(), Error> {
        loop {
            match Member::next(input)? {
                Next::Member(member) => self.member(&member, input, out)?,
                Next::NoEnd => return Err(Error::Truncated),
                Next::End => return copy_end(input, out),
            }
        }
    }

    fn member(
        &mut self,
        member: &Member,
        input: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        if !self.budget.take_member() {
            return Err(Error::BadTar("it has too many members"));
        }
        let bytes = member.size.saturating_add(BLOCK as u64);
        self.budget.parts().add_bytes(bytes);
        if self.leaves_out(member)? {
            return skip_contents(input, member.size);
        }
        self.inventory.add(member);
        let mut body = input.take(member.size);
        let size = match member.kind() {
            Kind::File | Kind::OldSparse => {
                let written = self.file(member, &mut body, out);
                self.excused(member, written, &mut body)?
            }
            _ => self.write_front(member, out).map(|()| 0)?,
        };
        if self.rules.describes() {
            self.found.sightings.set_member(&for_error(&member.name));
        }
        ensure_complete(body.limit())?;
        drop_padding(input, member.size)?;
        out.put(&vec![0; padding(size)])
    }

    /// Where the output is thrown away, notes a member that redaction would refuse and passes over the rest of it.
    fn excused(
        &mut self,
        member: &Member,
        written: Result<u64, Error>,
        body: &mut dyn BufRead,
    ) -> Result<u64, Error> {
        match written {
            Err(error) if self.settings.looks_only && error.is_about_contents() => {
                self.passed_over.add(PassedOver {
                    place: for_error(&member.name),
                    bytes: member.size,
                    reason: error.to_string(),
                });
                read_pieces(body, |_| Ok(()))?;
                Ok(member.size)
            }
            written => written,
        }
    }

    /// Whether the plan leaves out the member, or one that it is another name of.
    fn leaves_out(&mut self, member: &Member) -> Result<bool, Error> {
        if !self.drops.drops_members() {
            return Ok(false);
        }
        let dropped = self
            .dropped
            .add(member, |name| self.drops.member_rule(name))?;
        if let Some(rule) = dropped {
            self.drops.add_entry(rule);
        }
        Ok(dropped.is_some())
    }

    /// Returns the number of bytes of contents that were written.
    fn file(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        let content = Content::of(&member.name);
        if member.is_sparse() && content.has_structure() {
            return Err(opaque(member, "it is stored with holes"));
        }
        if member.name == b"checkpoint/cipher.img" && self.rules.searches(Place::Memory) {
            return self.opaque(member, "CRIU encrypted the images", body, out);
        }
        if matches!(content, Content::RootfsDiff | Content::Tmpfs) {
            return self.archive(member, body, out);
        }
        // Memory is searched as bytes, whatever a page begins with.
        if !matches!(content, Content::Pages(_)) {
            let mut body = Source::new(body);
            let start = body.peek(START).map_err(Error::reading)?;
            let format = Format::of(start);
            if format.is_none() && member.has_wrong_map(start) {
                return self.opaque(member, "its map of holes is not right", &mut body, out);
            }
            if let Some(format) = format {
                if member.is_sparse() {
                    return self.opaque(member, "it is stored with holes", &mut body, out);
                }
                return self.packed(member, format, &mut body, out);
            }
            return self.contents(member, content, &mut body, out);
        }
        self.contents(member, content, body, out)
    }

    /// Contents that are searched where they stand.
    fn contents(
        &mut self,
        member: &Member,
        content: Content,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        match content {
            Content::RootfsDiff | Content::Tmpfs => return self.archive(member, body, out),
            Content::Document => self.document(member, body, out)?,
            Content::Unknown => self.unknown(member, body, out)?,
            Content::Pages(id) => self.pages(member, id, body, out)?,
            Content::AddressSpace(process) => self.address_space(member, process, body, out)?,
            Content::PageMap(process) => self.page_map(member, Some(process), body, out)?,
            Content::SharedPageMap => self.page_map(member, None, body, out)?,
            Content::Image(kind) => self.image(member, kind, body, out)?,
            Content::Bytes(places) => {
                self.write_front(member, out)?;
                self.bytes(places, body, out)?;
            }
        }
        Ok(member.size)
    }

    /// Masks plain bytes.
    fn bytes(
        &mut self,
        places: &[Place],
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        Maskers::new(self.rules, places).copy(body, self.found, out)
    }

    /// Writes everything before the contents. Names that runtimes and CRIU give stay, since they tell members apart.
    fn write_front(&mut self, member: &Member, out: &mut dyn Sink) -> Result<(), Error> {
        let front = member.front(|kind, text| match kind {
            HeaderText::Name | HeaderText::Link if is_known_name(&normalize(text)) => {}
            HeaderText::Name | HeaderText::Link | HeaderText::Data => {
                mask(self.rules, EVERYWHERE, text, self.found);
            }
            HeaderText::Block => {
                let before = text.to_vec();
                mask(self.rules, EVERYWHERE, text, &mut Tally::default());
                if is_known_name(&member.name) {
                    // The field of the name.
                    let name = text.iter_mut().zip(before).take(100);
                    name.for_each(|(to, from)| *to = from);
                }
            }
        })?;
        if !member.is_front(&front)
            && let Next::Member(written) = Member::next(&mut front.as_slice())?
        {
            self.inventory.rename(&written);
        }
        out.put(&front)
    }
}

fn opaque(member: &Member, reason: &'static str) -> Error {
    Error::Opaque {
        member: for_error(&member.name),
        reason,
    }
}
