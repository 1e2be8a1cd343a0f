use std::io::{BufRead, Read};

use gateway_core::{Place, Plan};

use super::content::Content;
use super::environ::{Environ, Tools};
use super::extension::Text;
use super::header::Kind;
use super::image::Entries;
use super::inner::{Inner, count, ending, pad, skip, whole};
use super::inventory::Inventory;
use super::json::Editor;
use super::known::Known;
use super::layout::Layout;
use super::member::{Member, Next};
use super::name::shown;
use super::plan::{Drops, hides_environments};
use super::screen::{EVERYWHERE, Screen, copy, mask, pieces};
use super::settings::RedactionSettings;
use crate::Error;
use crate::scratch::Scratch;
use crate::search::{Rules, Tally};
use crate::sink::Sink;

/// The largest `mm-PID.img`: one with all the mappings that the kernel allows is a quarter of it.
const MAX_ADDRESS_SPACE: usize = 16 << 20;
/// The largest entry of a `pagemap-PID.img`.
const MAX_RUN: usize = 4 << 10;

/// One pass over an archive.
pub(super) struct Pass<'a> {
    pub(super) plan: &'a Plan,
    pub(super) settings: &'a RedactionSettings,
    pub(super) rules: &'a Rules,
    pub(super) drops: &'a mut Drops,
    pub(super) layout: &'a mut Layout,
    pub(super) known: &'a mut Known,
    pub(super) found: &'a mut Tally,
    pub(super) inventory: &'a mut Inventory,
    pub(super) unreadable: &'a mut Vec<String>,
    pub(super) scratch: &'a mut dyn Scratch,
    pub(super) left: u64,
}

impl Pass<'_> {
    pub(super) fn run(&mut self, input: &mut dyn BufRead, out: &mut dyn Sink) -> Result<(), Error> {
        loop {
            match Member::next(input)? {
                Next::Member(member) => self.member(&member, input, out)?,
                Next::Cut => return Err(Error::Truncated),
                Next::End => {
                    return ending(input, out);
                }
            }
        }
    }

    fn member(
        &mut self,
        member: &Member,
        input: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        count(&mut self.left)?;
        if self.drops.take_member(&member.name) {
            return skip(input, member.size);
        }
        let content = Content::of(&member.name);
        self.inventory.add(member, content);
        let mut body = input.take(member.size);
        let size = match member.kind() {
            Kind::File | Kind::OldSparse => self.file(member, content, &mut body, out)?,
            _ => self.front(member, out).map(|()| 0)?,
        };
        whole(body.limit())?;
        pad(input, member.size, &mut Discard)?;
        out.put(&vec![0; super::header::padding(size)])
    }

    /// Tells the size of the contents that were written.
    fn file(
        &mut self,
        member: &Member,
        content: Content,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        if member.sparse && content.has_structure() {
            let member = shown(&member.name);
            return Err(Error::Opaque {
                member,
                reason: "it is stored with holes",
            });
        }
        match content {
            Content::Document => self.document(member, body, out)?,
            Content::Unknown => self.unknown(member, body, out)?,
            Content::Diff | Content::Tmpfs => return self.archive(member, body, out),
            _ => {
                self.front(member, out)?;
                self.stream(member, content, body, out)?;
            }
        }
        Ok(member.size)
    }

    fn stream(
        &mut self,
        member: &Member,
        content: Content,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        match content {
            Content::Pages(id) => self.pages(member, id, body, out),
            Content::AddressSpace(process) => {
                let mut entries = Entries::new(MAX_ADDRESS_SPACE);
                self.image(member, body, out, |layout, piece| {
                    entries.push(piece, |entry| layout.memory(process, entry));
                    Ok(entries.is_whole())
                })
            }
            Content::PageMap(process) => {
                let (mut entries, mut map) = (Entries::new(MAX_RUN), self.layout.page_map(process));
                self.image(member, body, out, |layout, piece| {
                    let mut fault = None;
                    entries.push(piece, |entry| match layout.entry(&mut map, entry) {
                        Ok(sense) => sense,
                        Err(error) => {
                            fault = Some(error);
                            false
                        }
                    });
                    fault.map_or_else(|| Ok(entries.is_whole()), Err)
                })
            }
            Content::Bytes(places) => self.bytes(body, places, out),
            _ => self.bytes(body, EVERYWHERE, out),
        }
    }

    pub(super) fn front(&mut self, member: &Member, out: &mut dyn Sink) -> Result<(), Error> {
        // The names of the archive's own members are the runtime's, and by them they are known.
        out.put(&member.front(|kind, text| match kind {
            Text::Name => {}
            Text::Data => mask(self.rules, EVERYWHERE, text, self.found),
        })?)
    }

    fn bytes(
        &mut self,
        body: &mut dyn BufRead,
        places: &[Place],
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        copy(
            body,
            Screen::new(self.rules, places),
            self.found,
            &mut |bytes| out.put(bytes),
        )
    }

    fn document(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        if member.size > self.settings.max_document_bytes {
            return Err(Error::BadTar("a JSON document is too large"));
        }
        let mut text = read_all(body)?;
        whole(member.size - text.len() as u64)?;
        if !self.edit(&mut text, &[Place::Spec])? {
            self.unreadable.push(shown(&member.name));
            mask(self.rules, EVERYWHERE, &mut text, self.found);
        }
        self.front(member, out)?;
        out.put(&text)
    }

    /// What is not known is treated as JSON if it is that, so that it stays that.
    fn unknown(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        self.front(member, out)?;
        if member.size > self.settings.max_document_bytes {
            return self.bytes(body, EVERYWHERE, out);
        }
        let mut text = read_all(body)?;
        let like_json = matches!(text.trim_ascii_start().first(), Some(b'{' | b'['));
        if !like_json || !self.edit(&mut text, EVERYWHERE)? {
            mask(self.rules, EVERYWHERE, &mut text, self.found);
        }
        out.put(&text)
    }

    fn edit(&mut self, text: &mut [u8], places: &'static [Place]) -> Result<bool, Error> {
        let Self {
            rules,
            known,
            found,
            settings,
            ..
        } = self;
        Editor {
            rules,
            places,
            mask: settings.mask,
            known,
            found,
        }
        .edit(text)
    }

    /// An image that tells where environments lie. `read` tells whether all up to there made sense.
    fn image(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
        mut read: impl FnMut(&mut Layout, &[u8]) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let (mut screen, mut sense) = (Screen::new(self.rules, &[Place::Memory]), false);
        let mut missing = member.size;
        pieces(body, |piece| {
            missing = missing.saturating_sub(piece.len() as u64);
            sense = read(self.layout, piece)?;
            screen.push(piece, &mut |bytes| out.put(bytes))
        })?;
        screen.finish(self.found, &mut |bytes| out.put(bytes))?;
        whole(missing)?;
        if sense || !hides_environments(self.plan, Place::Memory) {
            return Ok(());
        }
        let member = shown(&member.name);
        Err(Error::Opaque {
            member,
            reason: "it is no image of CRIU's, and tells where environments lie",
        })
    }

    fn pages(
        &mut self,
        member: &Member,
        id: u64,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        let mut environ = Environ::new(self.layout.pages(id, member.size)?);
        let mut screen = Screen::new(self.rules, &[Place::Memory]);
        let (mut edited, mut out) = (Vec::new(), |bytes: &[u8]| out.put(bytes));
        let mut tools = Tools {
            rules: self.rules,
            known: self.known,
            found: self.found,
        };
        pieces(body, |piece| {
            if !environ.concerns(piece.len()) {
                environ.skip(piece.len());
                return screen.push(piece, &mut out);
            }
            edited.clear();
            edited.extend_from_slice(piece);
            environ.edit(&mut edited, &mut tools)?;
            screen.push(&edited, &mut out)
        })?;
        environ.finish(&mut tools)?;
        screen.finish(self.found, &mut out)
    }

    pub(super) fn inner<'b>(&'b mut self, member: &'b Member) -> Inner<'b> {
        Inner {
            rules: self.rules,
            drops: self.drops,
            member: &member.name,
            found: self.found,
            left: &mut self.left,
        }
    }
}

/// Takes bytes and forgets them.
pub(super) struct Discard;

impl Sink for Discard {
    fn put(&mut self, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

fn read_all(body: &mut dyn BufRead) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes).map_err(Error::reading)?;
    Ok(bytes)
}
