//! CRIU's images: messages, with plain contents between them, and memory pages.

use std::io::{BufRead, Read};
use std::ops::Range;

use gateway_core::Place;

use super::{Pass, opaque};
use crate::Error;
use crate::criu::{Contents, Form, ImageKind, entries, fields, is_image};
use crate::mask::environment::{EnvironmentMasker, Variables};
use crate::mask::layout::Layout;
use crate::mask::maskers::Maskers;
use crate::mask::messages::{Batch, MessageMasker, Refused};
use crate::mask::open_files::OpenFiles;
use crate::search::Tally;
use crate::sink::Sink;
use crate::stream::{ensure_complete, read_all, read_exact, read_pieces};
use crate::tar::{Member, for_error};

/// The largest message, in bytes: twice that of a process with all the mappings that the kernel allows. An image of another
/// beginning than CRIU's is read as messages up to this size.
const MAX_MESSAGE: u64 = 8 << 20;
/// The largest list of open files, in bytes.
const MAX_FILES: u64 = 16 << 20;
/// The magic of the format, and that of the kind.
const MAGIC: usize = 8;

/// Reads a message that says where environments lie; `false` if it cannot be read.
type Look<'a> = &'a mut dyn FnMut(&mut Layout, &[u8]) -> Result<bool, Error>;

impl Pass<'_> {
    /// `mm-PID.img`.
    pub(super) fn address_space(
        &mut self,
        member: &Member,
        process: u64,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        let kind = ImageKind::of(b"mm").unwrap_or(ImageKind::unknown());
        let mut look = |layout: &mut Layout, entry: &[u8]| Ok(layout.add_memory(process, entry));
        let readable = self.messages(member, kind, &mut look, body, out)?;
        self.ensure_located(member, readable)
    }

    /// `pagemap-PID.img`, and without a process `pagemap-shmem-ID.img`.
    pub(super) fn page_map(
        &mut self,
        member: &Member,
        process: Option<u64>,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        let kind = ImageKind::of(b"pagemap").unwrap_or(ImageKind::unknown());
        let mut map = self.layout.begin_map(process);
        let mut look = |layout: &mut Layout, entry: &[u8]| layout.add_run(&mut map, entry);
        let readable = self.messages(member, kind, &mut look, body, out)?;
        self.ensure_located(member, readable)
    }

    /// Any other image of messages.
    pub(super) fn image(
        &mut self,
        member: &Member,
        kind: &'static ImageKind,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        let look: Look<'_> = &mut |_, _| Ok(true);
        if !OpenFiles::are_listed_in(&member.name) {
            return self.messages(member, kind, look, body, out).map(|_| ());
        }
        if member.size > MAX_FILES {
            return Err(opaque(member, "it is too large for a list of open files"));
        }
        let image = read_all(body)?;
        ensure_complete(member.size.saturating_sub(image.len() as u64))?;
        self.open.add(&member.name, &image);
        self.messages(member, kind, look, &mut image.as_slice(), out)
            .map(|_| ())
    }

    /// `pages-ID.img`.
    pub(super) fn pages(
        &mut self,
        member: &Member,
        id: u64,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        if let Some(packed) = self.layout.packed(id) {
            return self.packed_pages(member, id, &packed, body, out);
        }
        self.write_front(member, out)?;
        let segments = self.layout.begin_pages(id, member.size)?;
        let mut environments = EnvironmentMasker::new(segments);
        let mut maskers = Maskers::new(self.rules, &[Place::Memory]);
        let mut variables = Variables {
            rules: self.rules,
            known: self.known,
            found: self.found,
        };
        let mut masked = Vec::new();
        read_pieces(body, |piece| {
            if !environments.is_within(piece.len()) {
                environments.skip(piece.len());
                return maskers.push(piece, out);
            }
            masked.clear();
            masked.extend_from_slice(piece);
            environments.mask(&mut masked, &mut variables)?;
            maskers.push(&masked, out)
        })?;
        environments.finish(&mut variables)?;
        maskers.finish(self.found, out)
    }

    /// Masks an image of messages. Returns whether `look` could read all of it.
    fn messages(
        &mut self,
        member: &Member,
        kind: &'static ImageKind,
        look: Look<'_>,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<bool, Error> {
        self.write_front(member, out)?;
        let places = places(kind);
        if !places.iter().any(|place| self.rules.searches(*place))
            && !self.rules.searches(Place::Files)
        {
            return self.bytes(places, body, out).map(|()| true);
        }
        let mut head = Vec::new();
        body.take(MAGIC as u64)
            .read_to_end(&mut head)
            .map_err(Error::reading)?;
        ensure_complete(member.size.min(MAGIC as u64) - head.len() as u64)?;
        if head.len() < MAGIC || !is_image(&head) {
            self.without_magic(member, kind, &head, body, out)?;
            return Ok(false);
        }
        out.put(&head)?;
        let masker = MessageMasker {
            rules: self.rules,
            kind,
            member: for_error(&member.name),
        };
        let mut image = Image {
            member,
            left: member.size - head.len() as u64,
            contents: Contents::new(kind),
            has_contents: false,
            batch: Batch::default(),
            masker,
            body,
            out,
        };
        image.run(self, look)
    }

    /// An image as CRIU wrote them before version 2, or something else: its bytes are all that it has then.
    fn without_magic(
        &mut self,
        member: &Member,
        kind: &'static ImageKind,
        head: &[u8],
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<(), Error> {
        let mut rest = head.chain(body);
        if member.size > MAX_MESSAGE {
            return self.bytes(places(kind), &mut rest, out);
        }
        let image = read_all(&mut rest)?;
        ensure_complete(member.size.saturating_sub(image.len() as u64))?;
        let is_plain = !matches!(kind.form, Form::Contents(_));
        let is_message = |range: &Range<usize>| {
            let message = image.get(range.clone()).unwrap_or_default();
            fields(message).all(|field| field.is_some())
        };
        let entries =
            entries(&image).filter(|all| is_plain && !all.is_empty() && all.iter().all(is_message));
        let Some(entries) = entries else {
            return self.bytes(places(kind), &mut image.as_slice(), out);
        };
        let (mut batch, mut at) = (Batch::default(), 0);
        for entry in entries {
            batch.add(image.get(at..entry.start).unwrap_or_default());
            batch.add_message(image.get(entry.clone()).unwrap_or_default());
            at = entry.end;
        }
        let masker = MessageMasker {
            rules: self.rules,
            kind,
            member: for_error(&member.name),
        };
        masker
            .mask(&mut batch, self.paths, self.found)
            .map_err(|refused| refuse(member, refused))?;
        out.put(&batch.bytes)
    }

    /// Refuses an image that must say where environments lie, and does not.
    fn ensure_located(&self, member: &Member, readable: bool) -> Result<(), Error> {
        if readable || !self.hides_environments() {
            return Ok(());
        }
        Err(opaque(
            member,
            "it should say where environments lie, and is not a CRIU image",
        ))
    }

    /// Whether the plan hides environment variables in memory.
    fn hides_environments(&self) -> bool {
        self.plan
            .mask
            .iter()
            .any(|rule| rule.pattern.selects_variables() && rule.places.contains(&Place::Memory))
    }
}

/// An image that is being read behind its magic.
struct Image<'a> {
    member: &'a Member,
    /// Bytes that are still to come.
    left: u64,
    contents: Contents,
    /// Whether contents came between messages.
    has_contents: bool,
    batch: Batch,
    masker: MessageMasker<'a>,
    body: &'a mut dyn BufRead,
    out: &'a mut dyn Sink,
}

impl Image<'_> {
    fn run(&mut self, pass: &mut Pass<'_>, look: Look<'_>) -> Result<bool, Error> {
        let mut readable = true;
        while self.left > 0 {
            let Some(message) = self.next(pass)? else {
                return Ok(false);
            };
            readable = readable && look(pass.layout, &message)?;
            self.batch.add_message(&message);
            let behind = self.contents.behind(&message).min(self.left);
            if behind > 0 {
                self.has_contents = true;
                self.flush(pass)?;
                let mut contents = (&mut *self.body).take(behind);
                Maskers::new(pass.rules, places(self.masker.kind)).copy(
                    &mut contents,
                    pass.found,
                    self.out,
                )?;
                ensure_complete(contents.limit())?;
                self.left -= behind;
            }
            if self.batch.is_full() {
                self.flush(pass)?;
            }
        }
        self.flush(pass).map(|()| readable)
    }

    /// The next message; `None` where the rest is none, and has been passed on.
    fn next(&mut self, pass: &mut Pass<'_>) -> Result<Option<Vec<u8>>, Error> {
        let mut head = vec![0; usize::try_from(self.left.min(4)).unwrap_or_default()];
        read_exact(self.body, &mut head)?;
        self.left -= head.len() as u64;
        let length = head.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let Some(length) = length.filter(|length| u64::from(*length) <= self.left) else {
            return self.rest(pass, &head).map(|()| None);
        };
        if u64::from(length) > MAX_MESSAGE {
            return Err(opaque(
                self.member,
                "it is too large for an image of this kind",
            ));
        }
        let mut message = vec![0; usize::try_from(length).unwrap_or_default()];
        read_exact(self.body, &mut message)?;
        self.left -= u64::from(length);
        if fields(&message).all(|field| field.is_some()) {
            self.batch.add(&head);
            return Ok(Some(message));
        }
        self.rest(pass, &[head, message].concat()).map(|()| None)
    }

    /// Passes on what is no message. If something is to be hidden there, the image is refused: nobody knows what it would break.
    fn rest(&mut self, pass: &mut Pass<'_>, start: &[u8]) -> Result<(), Error> {
        if self.masker.kind.must_be_readable() {
            return Err(opaque(self.member, "its numbers cannot be read"));
        }
        // Contents that were cut at a wrong length may have hidden the halves of a secret.
        if self.has_contents {
            return Err(opaque(
                self.member,
                "its contents are not as long as it says",
            ));
        }
        self.flush(pass)?;
        let mut found = Tally::default();
        let mut rest = start.chain((&mut *self.body).take(self.left));
        Maskers::new(pass.rules, places(self.masker.kind)).copy(&mut rest, &mut found, self.out)?;
        if found.iter().next().is_some() {
            return Err(opaque(
                self.member,
                "something is to be hidden in a part of it that cannot be read",
            ));
        }
        Ok(())
    }

    fn flush(&mut self, pass: &mut Pass<'_>) -> Result<(), Error> {
        self.masker
            .mask(&mut self.batch, pass.paths, pass.found)
            .map_err(|refused| refuse(self.member, refused))?;
        self.out.put(&self.batch.bytes)?;
        self.batch.clear();
        Ok(())
    }
}

/// The places whose rules search the contents between messages.
fn places(kind: &ImageKind) -> &'static [Place] {
    match kind.name {
        // The contents of files that were deleted while open.
        "ghost-file" => &[Place::Files, Place::Memory],
        _ => &[Place::Memory],
    }
}

fn refuse(member: &Member, refused: Refused) -> Error {
    match refused {
        Refused::Unreadable => opaque(member, "it has too many numbers"),
        Refused::Kept => opaque(
            member,
            "a number or a program that the restore needs holds a piece of a secret",
        ),
        Refused::Broken => Error::BrokeArchive(format!(
            "`{}` does not read as before",
            for_error(&member.name)
        )),
    }
}
