//! Tar archives: every entry is searched by its first bytes, and opaque ones are ruled by the settings.

use std::collections::BTreeSet;
use std::io::{BufRead, Read};

use gateway_core::{OpaqueContent, OpaqueRule};

use super::{Nested, Reason, Seen, Stop};
use crate::Error;
use crate::content::EVERYWHERE;
use crate::mask::framing::{copy_end, drop_padding, skip_contents};
use crate::mask::maskers::mask;
use crate::mask::paths::PathUse;
use crate::search::Tally;
use crate::sink::{Discard, Sink};
use crate::stream::{ensure_complete, read_pieces};
use crate::tar::{BLOCK, HeaderText, Kind, Member, Next, for_error, padding};
use crate::unpack::{Format, Source};

/// Bytes at the beginning of an entry that are looked at: a file with holes may begin with a map of them.
const SPARSE_START: usize = 8 * BLOCK;

/// Names of entries that were left out, in bytes: beyond that the archive is opaque.
const MAX_LEFT_OUT: usize = 8 << 20;

/// The entries of one archive that were left out, to which no hard link may point.
#[derive(Default)]
struct LeftOut {
    names: BTreeSet<Vec<u8>>,
    bytes: usize,
}

/// What became of an entry.
enum Kept {
    Entry(Seen),
    LeftOut,
}

impl Nested<'_> {
    /// Searches the archive `input`, which stands `depth` levels deep. With `out`, writes it there, masked.
    pub(in crate::mask) fn tar(
        &mut self,
        input: &mut dyn BufRead,
        depth: usize,
        mut out: Option<&mut dyn Sink>,
    ) -> Result<Seen, Stop> {
        let (mut seen, mut left_out) = (Seen::NOTHING, LeftOut::default());
        loop {
            let entry = match Member::next(input) {
                Ok(Next::Member(entry)) => entry,
                // Some writers leave out the end.
                Ok(Next::NoEnd) => return Ok(seen),
                Ok(Next::End) => {
                    let end = match out {
                        Some(out) => copy_end(input, out),
                        None => copy_end(input, &mut Discard),
                    };
                    return end.map(|()| seen).map_err(|error| stop(depth, error));
                }
                Err(Error::Truncated) if depth > 0 => return Ok(seen.broken_off()),
                Err(error) => return Err(stop(depth, error)),
            };
            if !self.budget.take_member() {
                return Err(stop(depth, Error::BadTar("it has too many members")));
            }
            match self.entry(&entry, input, depth, &left_out, again(&mut out)) {
                // A file that breaks off is whole for the archive.
                Ok(Kept::Entry(of_entry)) => seen.changed |= of_entry.changed,
                Ok(Kept::LeftOut) => {
                    left_out.add(&entry.name)?;
                    seen.changed = true;
                }
                Err(Stop::Failed(Error::Truncated)) if depth > 0 => return Ok(seen.broken_off()),
                Err(Stop::Failed(error @ Error::BadTar(_))) => return Err(stop(depth, error)),
                Err(other) => return Err(other),
            }
        }
    }

    fn entry(
        &mut self,
        entry: &Member,
        input: &mut dyn BufRead,
        depth: usize,
        left_out: &LeftOut,
        out: Option<&mut dyn Sink>,
    ) -> Result<Kept, Stop> {
        let rule = self.dropped.filter(|_| depth == 0);
        let rule = rule.and_then(|dropped| dropped.rule(entry));
        if let Some(rule) = rule {
            self.drops.add_entry(rule);
        }
        // A hard link to an entry that is left out could not be unpacked.
        let is_link = entry.kind() == Kind::HardLink;
        if rule.is_some() || is_link && left_out.names.contains(&entry.link) {
            skip_contents(input, entry.size)?;
            return Ok(Kept::LeftOut);
        }
        let mut content = input.take(entry.size);
        let mut source = Source::new(&mut content);
        let start = source.peek(SPARSE_START).map_err(Error::reading)?;
        let format = match entry.kind() {
            _ if entry.is_sparse() => {
                let is_opaque = packed_blocks(start) || entry.has_wrong_map(start);
                is_opaque.then_some(Format::Unknown)
            }
            Kind::File => Format::of(start),
            _ => None,
        };
        let limit_around = self.limit;
        if depth == 0 {
            self.limit = self.settings.max_unpacked(entry.size);
        }
        self.path.push(entry.name.clone());
        let kept = match format {
            None => self.plain_entry(entry, &mut source, depth, out),
            Some(format) => self.packed_entry(entry, format, &mut source, depth, out),
        };
        if self.rules.describes() {
            let path = self.path.join(&b":/"[..]);
            self.found.sightings.set_file(&for_error(&path));
        }
        self.path.pop();
        // The archive around may be unpacked once more, to be packed again.
        self.limit = limit_around;
        let mut kept = kept?;
        // What stopped early has not read all.
        read_pieces(&mut source, |_| Ok(()))?;
        ensure_complete(content.limit())?;
        let is_clean = drop_padding(input, entry.size)?;
        if let Kept::Entry(seen) = &mut kept {
            seen.changed |= !is_clean;
        }
        Ok(kept)
    }

    fn plain_entry(
        &mut self,
        entry: &Member,
        content: &mut dyn BufRead,
        depth: usize,
        out: Option<&mut dyn Sink>,
    ) -> Result<Kept, Stop> {
        let mut discard = Discard;
        let out = out.unwrap_or(&mut discard);
        let (front, renamed) = self.front(entry, depth)?;
        out.put(&front)?;
        let seen = self.plain(content, out)?;
        out.put(&vec![0; padding(entry.size)])?;
        Ok(Kept::Entry(seen.and(renamed)))
    }

    /// An entry in a format that has to be unpacked.
    fn packed_entry(
        &mut self,
        entry: &Member,
        format: Format,
        content: &mut dyn BufRead,
        depth: usize,
        out: Option<&mut dyn Sink>,
    ) -> Result<Kept, Stop> {
        let mark = self.mark();
        let Some(out) = out else {
            let scanned = match depth {
                super::MAX_DEPTH => Err(Reason::TooDeep.into()),
                depth => self.scan(format, content, depth + 1),
            };
            return match scanned {
                Ok(seen) => Ok(Kept::Entry(seen.and(self.front(entry, depth)?.1))),
                Err(Stop::Opaque(reason)) => {
                    self.reset(mark);
                    self.opaque_entry(entry, reason)
                }
                Err(failed) => Err(failed),
            };
        };
        let mut original = self.store(content)?;
        ensure_complete(entry.size.saturating_sub(original.size))?;
        let fixed = depth == 0 && self.open.has(&entry.name);
        let replaced = match depth {
            super::MAX_DEPTH => Err(Reason::TooDeep.into()),
            depth => self.replace(format, &mut original, depth + 1, fixed),
        };
        let (contents, seen) = match replaced {
            Ok((changed, seen)) => (changed.unwrap_or(original), Kept::Entry(seen)),
            Err(Stop::Opaque(reason)) => {
                self.reset(mark);
                (original, self.opaque_entry(entry, reason)?)
            }
            Err(failed) => return Err(failed),
        };
        let Kept::Entry(seen) = seen else {
            return Ok(Kept::LeftOut);
        };
        let size = contents.size;
        let (front, renamed) = if size == entry.size {
            self.front(entry, depth)?
        } else {
            self.front(&entry.resized(size)?, depth)?
        };
        out.put(&front)?;
        contents.write_to(out)?;
        out.put(&vec![0; padding(size)])?;
        Ok(Kept::Entry(seen.and(renamed)))
    }

    /// Everything before an entry's contents, masked, and without what no reader takes for a text or a number. In an archive
    /// that is a file, that alone is no reason to write it anew.
    fn front(&mut self, entry: &Member, depth: usize) -> Result<(Vec<u8>, Seen), Stop> {
        let (mut found, mut beside) = (Tally::default(), Tally::default());
        let member = for_error(self.member);
        let front = entry.front(|kind, text| match kind {
            HeaderText::Name | HeaderText::Link => {
                let place = (member.as_str(), PathUse::Named);
                self.paths.mask(self.rules, place, text, &mut found);
            }
            HeaderText::Data => mask(self.rules, EVERYWHERE, text, &mut found),
            HeaderText::Block => self.paths.mask_header(self.rules, text, &mut beside),
        })?;
        self.found.merge(&found);
        let is_found = found.iter().chain(beside.iter()).next().is_some();
        let seen = Seen {
            changed: is_found || depth == 0 && !entry.is_front(&front),
            whole: true,
        };
        Ok((front, seen))
    }

    fn opaque_entry(&mut self, entry: &Member, reason: Reason) -> Result<Kept, Stop> {
        let rule = self.opaque_rule();
        if rule == OpaqueRule::Refuse {
            let member = for_error(&self.place());
            let reason = reason.as_str();
            return Err(Error::Opaque { member, reason }.into());
        }
        let dropped = rule == OpaqueRule::Drop;
        // Where open files are not known, none is named as one.
        let is_open = self.path.len() == 1 && self.open.is_known_to_have(&entry.name);
        let content = OpaqueContent {
            place: for_error(&self.place()),
            bytes: entry.size,
            reason: reason.as_str().to_owned(),
            dropped,
            will_not_restore: dropped && is_open,
        };
        self.notes.add(content);
        Ok(if dropped {
            Kept::LeftOut
        } else {
            Kept::Entry(Seen::NOTHING)
        })
    }

    /// The place of the current contents, masked: `rootfs-diff.tar:/data/backup.tar.gz`.
    fn place(&self) -> Vec<u8> {
        let mut place = self.member.to_vec();
        for name in &self.path {
            place.extend(b":/");
            place.extend(name);
        }
        mask(self.rules, EVERYWHERE, &mut place, &mut Tally::default());
        place
    }
}

impl Seen {
    fn broken_off(self) -> Self {
        Self {
            whole: false,
            ..self
        }
    }
}

impl LeftOut {
    fn add(&mut self, name: &[u8]) -> Result<(), Stop> {
        self.bytes += name.len() + 64;
        if self.bytes > MAX_LEFT_OUT {
            return Err(Error::BadTar("too many of its entries would be left out").into());
        }
        self.names.insert(name.to_vec());
        Ok(())
    }
}

/// Whether one of the first blocks of a file with holes begins as a format that would have to be unpacked.
fn packed_blocks(start: &[u8]) -> bool {
    start
        .chunks(BLOCK)
        .any(|block| Format::of(block).is_some_and(|format| format != Format::Tar))
}

/// The same output once more.
fn again<'o>(out: &'o mut Option<&mut dyn Sink>) -> Option<&'o mut dyn Sink> {
    match out {
        Some(out) => Some(&mut **out),
        None => None,
    }
}

/// Damage in an archive that is a file is a matter of that file alone.
fn stop(depth: usize, error: Error) -> Stop {
    match error {
        Error::BadTar("it has too many members") if depth > 0 => Reason::TooLarge.into(),
        Error::BadTar(_) if depth > 0 => Reason::Damaged.into(),
        error => error.into(),
    }
}
