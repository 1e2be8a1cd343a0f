//! Zip archives: their members are searched, and written anew where something is hidden.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::metered::Metered;
use super::zip_member::{MemberReader, STORED};
use super::{BUFFER, Nested, Reason, Seen, Stop};
use crate::Error;
use crate::mask::spool::{DeflateWriter, Packing, SpoolWriter, Stored};
use crate::mask::zip_writer::{Contents, Texts, ZipWriter};
use crate::sink::Sink;
use crate::stream::read_pieces;
use crate::unpack::zip::{Entry, Index, NoIndex};
use crate::unpack::{START, Source};

/// Memory for the index, as a multiple of the central directory's size.
const INDEX_MEMORY: u64 = 6;

impl Nested<'_> {
    /// Searches a zip archive.
    pub(super) fn scan_zip(&mut self, stored: &mut Stored, depth: usize) -> Result<Seen, Stop> {
        let index = match Index::read(&mut *stored.spool, stored.size) {
            Ok(index) => index,
            Err(NoIndex::BrokenOff) => return self.scan_broken_zip(stored, depth),
            Err(other) => return Err(other.into()),
        };
        let budget = self.budget;
        let memory = index.bytes().saturating_mul(INDEX_MEMORY);
        let _memory = budget.memory(memory).ok_or(Reason::TooLarge)?;
        let mut seen = Seen::NOTHING;
        for entry in &index.entries {
            seen.changed |= self.zip_texts(entry).1 | self.mask_text(&mut entry.gap.clone());
            seen = seen.and(self.zip_contents(stored, entry, depth, None)?);
        }
        seen.changed |= self.mask_text(&mut index.comment.clone());
        Ok(seen)
    }

    /// Writes a zip archive that holds something to hide, at its old length if it comes out shorter.
    pub(super) fn write_zip(
        &mut self,
        stored: &mut Stored,
        depth: usize,
        packing: Packing,
    ) -> Result<Stored, Stop> {
        // What breaks off cannot be written.
        let index = Index::read(&mut *stored.spool, stored.size).map_err(|error| match error {
            NoIndex::BrokenOff => Stop::from(Reason::NotWritable),
            other => other.into(),
        })?;
        let mut writer = ZipWriter::new(self.storage);
        for entry in &index.entries {
            let (texts, _) = self.zip_texts(entry);
            // What lies between members is left out.
            self.mask_text(&mut entry.gap.clone());
            let mark = self.mark();
            if self.zip_contents(stored, entry, depth, None)?.changed {
                self.reset_to_read_again(mark);
                let contents = self.pack(stored, entry, depth, packing)?;
                writer.add(entry, &texts, contents)?;
            } else {
                let spool = &mut stored.spool;
                spool
                    .seek(SeekFrom::Start(entry.at))
                    .map_err(Error::Scratch)?;
                let mut packed = BufReader::with_capacity(BUFFER, spool.take(entry.packed));
                writer.copy(entry, &texts, &mut packed)?;
            }
        }
        let mut comment = index.comment;
        self.mask_text(&mut comment);
        let is_padded = matches!(packing, Packing::Usual | Packing::Smallest);
        let size = is_padded.then_some(stored.size);
        Ok(writer.finish(comment, size)?)
    }

    /// The texts beside a member's contents, masked, and whether anything was found in them.
    fn zip_texts(&mut self, entry: &Entry) -> (Texts, bool) {
        let mut texts = Texts {
            name: entry.name.clone(),
            extra: entry.extra.clone(),
            comment: entry.comment.clone(),
            local_extra: entry.local_extra.clone(),
        };
        let mut changed = false;
        for text in [
            &mut texts.name,
            &mut texts.extra,
            &mut texts.comment,
            &mut texts.local_extra,
        ] {
            changed |= self.mask_text(text);
        }
        if changed {
            // They may have sums of what was masked.
            texts.extra.clear();
            texts.local_extra.clear();
        }
        (texts, changed)
    }

    /// Searches a member's contents. With `out`, writes them there, masked and not packed.
    fn zip_contents(
        &mut self,
        stored: &mut Stored,
        entry: &Entry,
        depth: usize,
        out: Option<&mut dyn Sink>,
    ) -> Result<Seen, Stop> {
        let budget = self.budget;
        if !budget.take_zip_member() {
            return Err(Reason::TooLarge.into());
        }
        if entry.is_encrypted {
            return Err(Reason::Encrypted.into());
        }
        let spool = &mut stored.spool;
        spool
            .seek(SeekFrom::Start(entry.at))
            .map_err(Error::Scratch)?;
        let capacity =
            usize::try_from(entry.packed).map_or(BUFFER, |packed| packed.clamp(1, BUFFER));
        let mut packed = BufReader::with_capacity(capacity, spool.take(entry.packed));
        let source = Source::new(&mut packed);
        let progress = source.progress();
        let memory = MemberReader::memory(entry.method, depth).ok_or(Reason::Unknown)?;
        let _memory = budget.memory(memory).ok_or(Reason::TooLarge)?;
        let reader =
            MemberReader::new(entry, source, depth, budget.parts()).ok_or(Reason::Unknown)?;
        let metered = Metered::new(reader, progress, budget, self.limit);
        let capacity = usize::try_from(entry.size).map_or(BUFFER, |size| size.clamp(START, BUFFER));
        let mut unpacked = BufReader::with_capacity(capacity, metered);
        let searched = self.inside(&mut unpacked, depth, out);
        let rest = read_pieces(&mut unpacked, |_| Ok(()));
        let end = unpacked.get_mut().finish()?;
        rest?;
        budget
            .parts()
            .add_bytes(entry.size.saturating_add(entry.packed));
        let seen = searched?.and(end);
        if seen.changed && !MemberReader::can_be_written(entry.method) {
            return Err(Reason::NotWritable.into());
        }
        Ok(seen)
    }

    /// Masks a member's contents and packs them again.
    fn pack(
        &mut self,
        stored: &mut Stored,
        entry: &Entry,
        depth: usize,
        packing: Packing,
    ) -> Result<Contents, Stop> {
        if entry.method == STORED {
            let mut out = Summed::new(SpoolWriter::new(self.storage));
            self.zip_contents(stored, entry, depth, Some(&mut out))?;
            return Ok(Contents {
                sum: out.sum.sum(),
                size: out.size,
                packed: out.inner.finish()?,
            });
        }
        let mut out = Summed::new(DeflateWriter::new(self.storage, packing));
        self.zip_contents(stored, entry, depth, Some(&mut out))?;
        Ok(Contents {
            sum: out.sum.sum(),
            size: out.size,
            packed: out.inner.finish()?,
        })
    }
}

/// Sums what goes by.
struct Summed<S> {
    inner: S,
    sum: flate2::Crc,
    size: u64,
}

impl<S> Summed<S> {
    fn new(inner: S) -> Self {
        Self {
            inner,
            sum: flate2::Crc::new(),
            size: 0,
        }
    }
}

impl<S: Sink> Sink for Summed<S> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.sum.update(bytes);
        self.size = self.size.saturating_add(bytes.len() as u64);
        self.inner.put(bytes)
    }
}

impl From<NoIndex> for Stop {
    fn from(error: NoIndex) -> Self {
        match error {
            NoIndex::BrokenOff | NoIndex::Damaged => Reason::Damaged.into(),
            NoIndex::TooLarge => Reason::TooLarge.into(),
            NoIndex::Failed(error) => Error::Scratch(error).into(),
        }
    }
}
