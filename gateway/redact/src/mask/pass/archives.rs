//! Members that have to be unpacked: the container's changed files, dumped tmpfs, and whatever begins as an archive.

use std::io::{BufRead, BufReader, Read, Seek};

use gateway_core::{OpaqueContent, OpaqueRule, Place};

use super::Pass;
use crate::Error;
use crate::content::Content;
use crate::mask::dropped_entries::DroppedEntries;
use crate::mask::nested::{Nested, Notes, Reason, Seen, Stop};
use crate::mask::spool::{SpoolWriter, Stored};
use crate::search::Tally;
use crate::sink::Sink;
use crate::stream::{ensure_complete, read_pieces};
use crate::tar::{Member, for_error};
use crate::unpack::{Decoder, Format, Parts, START, Source};

/// The largest window of a compressed archive, in bytes.
const MAX_WINDOW: u64 = 16 << 20;

impl Pass<'_> {
    /// `rootfs-diff.tar` or a dumped tmpfs: a tar, compressed or not. Returns the number of bytes of contents that were
    /// written.
    pub(super) fn archive(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        if !self.drops.reaches_into(&member.name) && !self.rules.searches(Place::Files) {
            return self.as_it_is(member, body, out);
        }
        let mut body = Source::new(body);
        let start = body.peek(START).map_err(Error::reading)?;
        ensure_complete(member.size.min(START as u64) - start.len() as u64)?;
        // An archive may consist of its end alone.
        let is_tar =
            start.is_empty() || start.len() == START && start.iter().all(|byte| *byte == 0);
        let reason = "it is neither a tar archive nor one compressed with gzip";
        match Format::of(start) {
            Some(Format::Tar) => self.tar(member, &mut body, out),
            None if is_tar => self.tar(member, &mut body, out),
            Some(format @ Format::Gzip) => self.packed(member, format, &mut body, out),
            // Runtimes take Zstandard, too. CRIU does not.
            Some(format @ Format::Zstd) if Content::of(&member.name) == Content::RootfsDiff => {
                self.packed(member, format, &mut body, out)
            }
            _ => self.opaque(member, reason, &mut body, out),
        }
    }

    /// A member that begins in a format that has to be unpacked.
    pub(super) fn packed(
        &mut self,
        member: &Member,
        format: Format,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        let content = Content::of(&member.name);
        let places = content.places_inside();
        if !places.iter().any(|place| self.rules.searches(*place))
            && !self.drops.reaches_into(&member.name)
        {
            return self.as_it_is(member, body, out);
        }
        let mut original = self.store(body)?;
        ensure_complete(member.size.saturating_sub(original.size))?;
        let (depth, fixed) = (content.depth(), content.has_fixed_length(&member.name));
        if !fixed {
            self.inventory.last_may_change();
        }
        let dropped = self.dropped_entries(member, Some(format), &mut original)?;
        let replaced = self.nested(member, dropped.as_ref(), |nested| {
            nested.replace(format, &mut original, depth, fixed)
        });
        match replaced {
            Ok((_, Seen { whole: false, .. })) => Err(Error::Truncated),
            Ok((changed, _)) => self.write_stored(member, changed.unwrap_or(original), out),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::Opaque(Reason::TooLarge)) if self.settings.opaque != OpaqueRule::Keep => {
                Err(Error::Bomb {
                    member: for_error(&member.name),
                    limit: self.settings.max_unpacked(member.size),
                })
            }
            Err(Stop::Opaque(reason)) => {
                self.refuse_unless_kept(member, reason.as_str())?;
                self.write_stored(member, original, out)
            }
        }
    }

    /// What cannot be searched: the checkpoint's own members are kept or refused, never left out.
    pub(super) fn opaque(
        &mut self,
        member: &Member,
        reason: &'static str,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        self.refuse_unless_kept(member, reason)?;
        self.as_it_is(member, body, out)
    }

    fn refuse_unless_kept(&mut self, member: &Member, reason: &'static str) -> Result<(), Error> {
        if self.settings.opaque != OpaqueRule::Keep {
            return Err(super::opaque(member, reason));
        }
        self.notes.add(OpaqueContent {
            place: for_error(&member.name),
            bytes: member.size,
            reason: reason.to_owned(),
            dropped: false,
            will_not_restore: false,
        });
        Ok(())
    }

    /// A tar archive, whose size is known only at its end.
    fn tar(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        let mut tar = SpoolWriter::new(self.storage);
        let written = if self.drops.reaches_into(&member.name) {
            let mut original = self.store(body)?;
            ensure_complete(member.size.saturating_sub(original.size))?;
            let dropped = self.dropped_entries(member, None, &mut original)?;
            let mut body = reader(&mut original)?;
            self.nested(member, dropped.as_ref(), |nested| {
                nested.tar(&mut body, 0, Some(&mut tar))
            })
        } else {
            self.nested(member, None, |nested| nested.tar(body, 0, Some(&mut tar)))
        };
        match written {
            Ok(_) => self.write_stored(member, tar.finish()?, out),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::Opaque(reason)) => Err(super::opaque(member, reason.as_str())),
        }
    }

    /// The entries of the archive `original` that the plan leaves out; `None` if it leaves none out. `format` is for one that is
    /// compressed.
    fn dropped_entries(
        &self,
        member: &Member,
        format: Option<Format>,
        original: &mut Stored,
    ) -> Result<Option<DroppedEntries>, Error> {
        if !self.drops.reaches_into(&member.name) {
            return Ok(None);
        }
        let (drops, members_left) = (&*self.drops, self.budget.members_left());
        let mut body = reader(original)?;
        let stream = format.filter(|format| *format != Format::Tar);
        let Some(format) = stream else {
            return DroppedEntries::read(drops, &member.name, &mut body, members_left).map(Some);
        };
        let limit = self.settings.max_unpacked(member.size);
        let parts = Parts::new();
        let decoder = Decoder::new(format, Source::new(&mut body), MAX_WINDOW, &parts);
        let decoder = decoder.ok_or_else(|| super::opaque(member, "it is no archive"))?;
        let mut unpacked = BufReader::new(decoder.take(limit.saturating_add(1)));
        let read = DroppedEntries::read(drops, &member.name, &mut unpacked, members_left);
        if unpacked.get_ref().limit() == 0 {
            let member = for_error(&member.name);
            return Err(Error::Bomb { member, limit });
        }
        read.map(Some)
    }

    /// Masks contents inside `member`, without these entries.
    fn nested<T>(
        &mut self,
        member: &Member,
        dropped: Option<&DroppedEntries>,
        mask: impl FnOnce(&mut Nested<'_>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let mut nested = Nested {
            rules: self.rules,
            settings: self.settings,
            places: Content::of(&member.name).places_inside(),
            drops: self.drops,
            dropped,
            member: &member.name,
            open: self.open,
            paths: self.paths,
            storage: self.storage,
            budget: self.budget,
            found: Tally::default(),
            notes: Notes::default(),
            limit: self.settings.max_unpacked(member.size),
            is_fixed: false,
            path: Vec::new(),
        };
        let masked = mask(&mut nested)?;
        let (found, notes) = (nested.found, nested.notes);
        self.found.merge(&found);
        self.notes.extend(notes);
        Ok(masked)
    }

    fn as_it_is(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        self.write_front(member, out)?;
        read_pieces(body, |bytes| out.put(bytes)).map(|()| member.size)
    }

    fn store(&mut self, body: &mut dyn BufRead) -> Result<Stored, Error> {
        let mut original = SpoolWriter::new(self.storage);
        read_pieces(body, |bytes| original.put(bytes))?;
        original.finish()
    }

    /// Writes `member` with these contents.
    fn write_stored(
        &mut self,
        member: &Member,
        contents: Stored,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        let size = contents.size;
        if size == member.size {
            self.write_front(member, out)?;
        } else {
            self.write_front(&member.resized(size)?, out)?;
        }
        contents.write_to(out).map(|()| size)
    }
}

/// Reads `stored` from its beginning.
fn reader(stored: &mut Stored) -> Result<impl BufRead + '_, Error> {
    stored.spool.rewind().map_err(Error::Scratch)?;
    Ok(BufReader::with_capacity(1 << 17, &mut stored.spool))
}
