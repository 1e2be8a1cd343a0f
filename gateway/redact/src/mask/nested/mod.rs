//! Searches and masks contents of any format: archives and compressed files, four levels deep.
//!
//! A file is read twice if it has to change: first to see whether anything in it is to be hidden, then to write it anew. So what
//! holds nothing to hide is passed on byte for byte.

mod broken_zip;
mod metered;
mod notes;
mod padding;
mod stream;
mod tar;
mod zip;
mod zip_member;

use std::io::{BufRead, BufReader, Seek};

use gateway_core::{OpaqueRule, Place};

pub(super) use self::notes::Notes;
use super::budget::{Budget, Left};
use super::dropped_entries::DroppedEntries;
use super::drops::DropList;
use super::maskers::{Maskers, mask};
use super::open_files::OpenFiles;
use super::paths::Paths;
use super::settings::RedactionSettings;
use super::spool::{Packing, SpoolWriter, Storage, Stored};
use crate::Error;
use crate::content::EVERYWHERE;
use crate::search::{Rules, Tally};
use crate::sink::{Discard, Sink};
use crate::stream::read_pieces;
use crate::unpack::{Format, START, Source, Texts};

/// Levels that are unpacked in a file: tar in gzip in zip in tar are four.
const MAX_DEPTH: usize = 4;
/// Bytes that are read at once.
const BUFFER: usize = 1 << 16;

/// Masks the contents of one member of the checkpoint.
pub(super) struct Nested<'a> {
    pub(super) rules: &'a Rules,
    pub(super) settings: &'a RedactionSettings,
    /// The places whose rules search the contents.
    pub(super) places: &'static [Place],
    pub(super) drops: &'a mut DropList,
    /// The entries of the outermost archive that the plan leaves out, if any are.
    pub(super) dropped: Option<&'a DroppedEntries>,
    /// The member's normalized name.
    pub(super) member: &'a [u8],
    pub(super) open: &'a OpenFiles,
    pub(super) paths: &'a mut Paths,
    pub(super) storage: &'a dyn Storage,
    pub(super) budget: &'a Budget,
    pub(super) found: Tally,
    pub(super) notes: Notes,
    /// The most bytes that each stream of the file may unpack to.
    pub(super) limit: u64,
    /// Whether the length of what is written must stay as it was.
    pub(super) is_fixed: bool,
    /// The names of the files around the contents, in the order in which they are nested.
    pub(super) path: Vec<Vec<u8>>,
}

/// What was seen in contents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Whether anything is to be hidden or left out.
    pub(super) changed: bool,
    /// Whether they were there to their end.
    pub(super) whole: bool,
}

/// Why contents were not searched to their end.
#[derive(Debug)]
pub(super) enum Stop {
    Opaque(Reason),
    Failed(Error),
}

/// Why contents could not be searched or masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Encrypted,
    Unknown,
    Damaged,
    TooDeep,
    TooLarge,
    NotWritable,
    Length,
}

/// Where the archive stands before something is tried.
struct Mark {
    found: Tally,
    notes: usize,
    drops: Vec<u64>,
    left: Left,
}

impl Reason {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Encrypted => "it is encrypted",
            Self::Unknown => "its compression method is unknown",
            Self::Damaged => {
                "its contents are damaged, or made so that readers disagree about them"
            }
            Self::TooDeep => "it holds archives or compressed files more than four levels deep",
            Self::TooLarge => "it unpacks to more than is allowed",
            Self::NotWritable => {
                "something in it is to be hidden, and its format cannot be written"
            }
            Self::Length => {
                "something in it is to be hidden, and its length must stay and does not"
            }
        }
    }
}

impl Seen {
    const NOTHING: Self = Self {
        changed: false,
        whole: true,
    };

    fn and(self, other: Self) -> Self {
        Self {
            changed: self.changed | other.changed,
            whole: self.whole & other.whole,
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Opaque(reason)
    }
}

impl Nested<'_> {
    /// Searches `original`, and masks it if that is needed. Returns what is to be written in its place, if it changes. `fixed`
    /// is for contents whose length must stay.
    pub(super) fn replace(
        &mut self,
        format: Format,
        original: &mut Stored,
        depth: usize,
        fixed: bool,
    ) -> Result<(Option<Stored>, Seen), Stop> {
        let mark = self.mark();
        let seen = self.scan_stored(format, original, depth)?;
        if !seen.changed || self.settings.looks_only {
            return Ok((None, seen));
        }
        self.reset_to_read_again(mark);
        if !format.can_be_written() {
            return Err(Reason::NotWritable.into());
        }
        if !fixed {
            let packing = if self.is_fixed {
                Packing::Fast
            } else {
                Packing::Loose
            };
            return Ok((Some(self.write(format, original, depth, packing)?), seen));
        }
        let around = std::mem::replace(&mut self.is_fixed, true);
        let written = self.write_fixed(format, original, depth);
        self.is_fixed = around;
        Ok((Some(written?), seen))
    }

    /// Writes `original` masked, at its old length.
    fn write_fixed(
        &mut self,
        format: Format,
        original: &mut Stored,
        depth: usize,
    ) -> Result<Stored, Stop> {
        // Which of them makes the fewest bytes depends on the contents.
        for packing in [Packing::Smallest, Packing::Usual, Packing::Fast] {
            if !self.budget.take_packing() {
                return Err(Reason::TooLarge.into());
            }
            let mark = self.mark();
            let written = self.write(format, original, depth, packing)?;
            if let Some(padded) = padding::pad(format, written, original.size) {
                return Ok(padded);
            }
            self.reset_to_read_again(mark);
        }
        Err(Reason::Length.into())
    }

    /// Writes `original` masked.
    fn write(
        &mut self,
        format: Format,
        original: &mut Stored,
        depth: usize,
        packing: Packing,
    ) -> Result<Stored, Stop> {
        match format {
            Format::Tar => self.write_tar(original, depth),
            Format::Zip => self.write_zip(original, depth, packing),
            _ => self.write_stream(format, original, depth, packing),
        }
    }

    /// Searches contents of any format. With `out`, writes them there, masked.
    fn inside(
        &mut self,
        input: &mut dyn BufRead,
        depth: usize,
        out: Option<&mut dyn Sink>,
    ) -> Result<Seen, Stop> {
        let mut source = Source::new(input);
        let format = Format::of(source.peek(START).map_err(Error::reading)?);
        match (format, out) {
            (None, Some(out)) => self.plain(&mut source, out),
            (None, None) => self.plain(&mut source, &mut Discard),
            (Some(_), _) if depth >= MAX_DEPTH => Err(Reason::TooDeep.into()),
            (Some(format), None) => self.scan(format, &mut source, depth + 1),
            (Some(format), Some(out)) => {
                let mut original = self.store(&mut source)?;
                let (changed, seen) = self.replace(format, &mut original, depth + 1, false)?;
                changed.unwrap_or(original).write_to(out)?;
                Ok(seen)
            }
        }
    }

    /// Bytes that are no archive.
    fn plain(&mut self, input: &mut dyn BufRead, out: &mut dyn Sink) -> Result<Seen, Stop> {
        let mut found = Tally::default();
        Maskers::new(self.rules, self.places).copy(input, &mut found, out)?;
        let changed = found.iter().next().is_some();
        self.found.merge(&found);
        Ok(Seen {
            changed,
            whole: true,
        })
    }

    /// Searches contents of `format`.
    fn scan(
        &mut self,
        format: Format,
        input: &mut dyn BufRead,
        depth: usize,
    ) -> Result<Seen, Stop> {
        let seen = match format {
            Format::Encrypted => return Err(Reason::Encrypted.into()),
            Format::Unknown => return Err(Reason::Unknown.into()),
            Format::Tar => self.tar(input, depth, None)?,
            // Its index stands at its end.
            Format::Zip => {
                let mut stored = self.store(input)?;
                self.scan_zip(&mut stored, depth)?
            }
            _ => self.unpack(format, input, depth, None)?.0,
        };
        if seen.changed && !format.can_be_written() && !self.settings.looks_only {
            return Err(Reason::NotWritable.into());
        }
        Ok(seen)
    }

    fn scan_stored(
        &mut self,
        format: Format,
        stored: &mut Stored,
        depth: usize,
    ) -> Result<Seen, Stop> {
        if format == Format::Zip {
            return self.scan_zip(stored, depth);
        }
        self.scan(format, &mut reader(stored)?, depth)
    }

    fn write_tar(&mut self, original: &mut Stored, depth: usize) -> Result<Stored, Stop> {
        let mut out = SpoolWriter::new(self.storage);
        self.tar(&mut reader(original)?, depth, Some(&mut out))?;
        Ok(out.finish()?)
    }

    fn store(&mut self, input: &mut dyn BufRead) -> Result<Stored, Stop> {
        let mut out = SpoolWriter::new(self.storage);
        read_pieces(input, |bytes| out.put(bytes))?;
        Ok(out.finish()?)
    }

    /// Searches texts that stand beside contents.
    fn texts(&mut self, texts: &Texts) -> bool {
        let mut changed = false;
        for text in texts.iter() {
            changed |= self.mask_text(&mut text.clone());
        }
        changed
    }

    /// Masks a text that stands beside contents; whether anything was found.
    fn mask_text(&mut self, text: &mut [u8]) -> bool {
        let mut found = Tally::default();
        mask(self.rules, EVERYWHERE, text, &mut found);
        self.found.merge(&found);
        found.iter().next().is_some()
    }

    fn mark(&mut self) -> Mark {
        Mark {
            found: self.found.clone(),
            notes: self.notes.len(),
            drops: self.drops.counts(),
            left: self.budget.left(),
        }
    }

    /// Forgets what was found since `mark`.
    fn reset(&mut self, mark: Mark) {
        self.found = mark.found;
        self.notes.truncate(mark.notes);
        self.drops.restore_counts(&mark.drops);
    }

    /// Goes back to `mark`, to read the same once more.
    fn reset_to_read_again(&mut self, mark: Mark) {
        self.budget.restore(mark.left);
        self.reset(mark);
    }

    /// What happens to opaque contents in a tar.
    fn opaque_rule(&self) -> OpaqueRule {
        self.settings.opaque
    }
}

/// Reads `stored` from its beginning.
fn reader(stored: &mut Stored) -> Result<impl BufRead + '_, Stop> {
    stored.spool.rewind().map_err(Error::Scratch)?;
    Ok(BufReader::with_capacity(BUFFER, &mut stored.spool))
}
