//! Writes zip archives (PKWARE's APPNOTE).

use std::io::BufRead;

use super::spool::{SpoolWriter, Storage, Stored};
use crate::Error;
use crate::sink::Sink;
use crate::stream::read_pieces;
use crate::unpack::zip::{DESCRIPTOR, Entry, ZIP_64, extra_fields};

/// Numbers that do not fit into their fields stand in an extra field, or in a record of their own.
const WIDE: u64 = 0xffff_ffff;
const WIDE_COUNT: u64 = 0xffff;
/// The version that readers need for them.
const VERSION_64: u16 = 45;

/// An archive that is being written.
pub(super) struct ZipWriter<'s> {
    out: SpoolWriter<'s>,
    at: u64,
    directory: Vec<u8>,
    count: u64,
}

/// The texts of a member.
pub(super) struct Texts {
    pub(super) name: Vec<u8>,
    pub(super) extra: Vec<u8>,
    pub(super) comment: Vec<u8>,
    pub(super) local_extra: Vec<u8>,
}

/// A member's contents, packed anew.
pub(super) struct Contents {
    pub(super) sum: u32,
    /// Bytes when unpacked.
    pub(super) size: u64,
    pub(super) packed: Stored,
}

/// The numbers of a member.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    sum: u32,
    packed: u64,
    size: u64,
}

impl<'s> ZipWriter<'s> {
    pub(super) fn new(storage: &'s dyn Storage) -> Self {
        Self {
            out: SpoolWriter::new(storage),
            at: 0,
            directory: Vec::new(),
            count: 0,
        }
    }

    /// Adds a member with new contents.
    pub(super) fn add(
        &mut self,
        entry: &Entry,
        texts: &Texts,
        contents: Contents,
    ) -> Result<(), Error> {
        let numbers = Numbers {
            sum: contents.sum,
            packed: contents.packed.size,
            size: contents.size,
        };
        self.header(entry, texts, numbers)?;
        contents.packed.write_to(&mut self.out)?;
        self.at += numbers.packed;
        Ok(())
    }

    /// Adds a member with the contents that it had.
    pub(super) fn copy(
        &mut self,
        entry: &Entry,
        texts: &Texts,
        packed: &mut dyn BufRead,
    ) -> Result<(), Error> {
        let numbers = Numbers {
            sum: entry.sum,
            packed: entry.packed,
            size: entry.size,
        };
        self.header(entry, texts, numbers)?;
        read_pieces(packed, |bytes| self.out.put(bytes))?;
        self.at += numbers.packed;
        Ok(())
    }

    /// Writes the central directory. The comment is filled up with spaces where the archive has to come out at `size`.
    pub(super) fn finish(
        mut self,
        mut comment: Vec<u8>,
        size: Option<u64>,
    ) -> Result<Stored, Error> {
        let (directory_at, directory_size) = (self.at, self.directory.len() as u64);
        let directory = std::mem::take(&mut self.directory);
        self.put(&directory)?;
        let is_wide = directory_at >= WIDE || directory_size >= WIDE || self.count >= WIDE_COUNT;
        if is_wide {
            let record_at = self.at;
            let mut end = b"PK\x06\x06".to_vec();
            end.extend(44u64.to_le_bytes());
            end.extend([VERSION_64, VERSION_64].map(u16::to_le_bytes).concat());
            end.extend([0; 8]);
            for number in [self.count, self.count, directory_size, directory_at] {
                end.extend(number.to_le_bytes());
            }
            end.extend(b"PK\x06\x07\0\0\0\0");
            end.extend(record_at.to_le_bytes());
            end.extend(1u32.to_le_bytes());
            self.put(&end)?;
        }
        let least = self.at + 22 + comment.len() as u64;
        let gap = size.and_then(|size| size.checked_sub(least)).unwrap_or(0);
        let room = u64::from(u16::MAX) - comment.len() as u64;
        if let Ok(gap) = usize::try_from(gap.min(room)) {
            comment.resize(comment.len() + gap, b' ');
        }
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        for number in [self.count, self.count] {
            end.extend(narrow(number, 2));
        }
        for number in [directory_size, directory_at] {
            end.extend(narrow(number, 4));
        }
        end.extend(narrow(comment.len() as u64, 2));
        end.extend(comment);
        self.put(&end)?;
        self.out.finish()
    }

    /// Writes a local header, and notes the record of the central directory.
    fn header(&mut self, entry: &Entry, texts: &Texts, numbers: Numbers) -> Result<(), Error> {
        let at = self.at;
        let field = |from: usize, to: usize| entry.central.get(from..to).unwrap_or_default();
        let is_wide = numbers.packed >= WIDE || numbers.size >= WIDE;
        let version = match field(6, 8).first_chunk() {
            Some(version) if !is_wide && at < WIDE => u16::from_le_bytes(*version),
            _ => VERSION_64,
        };
        let flags = (entry.flags() & !DESCRIPTOR).to_le_bytes();
        // Version, flags, method, time, sum and sizes are the same in both.
        let mut common = version.to_le_bytes().to_vec();
        common.extend(flags);
        common.extend(field(10, 16));
        common.extend(numbers.sum.to_le_bytes());
        common.extend(narrow(numbers.packed, 4));
        common.extend(narrow(numbers.size, 4));
        let sizes = [numbers.size, numbers.packed];
        let wide_sizes: Vec<u64> = if is_wide { sizes.to_vec() } else { Vec::new() };
        let extra = with_wide(&texts.local_extra, &wide_sizes);
        let mut local = b"PK\x03\x04".to_vec();
        local.extend(&common);
        local.extend(narrow(texts.name.len() as u64, 2));
        local.extend(narrow(extra.len() as u64, 2));
        local.extend(&texts.name);
        local.extend(extra);
        self.put(&local)?;

        let wide = sizes
            .into_iter()
            .chain([at])
            .filter(|number| *number >= WIDE);
        let extra = with_wide(&texts.extra, &wide.collect::<Vec<_>>());
        let directory = &mut self.directory;
        directory.extend(b"PK\x01\x02");
        directory.extend(field(4, 6));
        directory.extend(common);
        for length in [texts.name.len(), extra.len(), texts.comment.len(), 0] {
            directory.extend(narrow(length as u64, 2));
        }
        directory.extend(field(36, 42));
        directory.extend(narrow(at, 4));
        for text in [&texts.name, &extra, &texts.comment] {
            directory.extend(text);
        }
        self.count += 1;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.at += bytes.len() as u64;
        self.out.put(bytes)
    }
}

/// An extra area in which the field for wide numbers has these.
fn with_wide(extra: &[u8], wide: &[u64]) -> Vec<u8> {
    let mut area = Vec::new();
    if !wide.is_empty() {
        area.extend(ZIP_64.to_le_bytes());
        area.extend(narrow(8 * wide.len() as u64, 2));
        for number in wide {
            area.extend(number.to_le_bytes());
        }
    }
    for (id, bytes) in extra_fields(extra) {
        if id != ZIP_64 {
            area.extend(id.to_le_bytes());
            area.extend(narrow(bytes.len() as u64, 2));
            area.extend(bytes);
        }
    }
    area
}

/// `number` in a field of `length` bytes: all ones where it does not fit.
fn narrow(number: u64, length: usize) -> Vec<u8> {
    let most = (1u64 << (8 * length)) - 1;
    let bytes = number.min(most).to_le_bytes();
    bytes.get(..length).unwrap_or_default().to_vec()
}
