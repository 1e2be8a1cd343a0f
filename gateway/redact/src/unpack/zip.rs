//! The index of a zip archive (PKWARE's APPNOTE), read strictly: what its central directory and its local headers say must be
//! the same, and no other member may lie between its members.

use std::io::{self, Read, Seek, SeekFrom};

/// The signature of a local header.
pub(crate) const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR: [u8; 4] = *b"PK\x06\x07";
/// Bytes of the fixed parts.
pub(crate) const LOCAL_LENGTH: usize = 30;
const CENTRAL_LENGTH: usize = 46;
const END_LENGTH: usize = 22;
/// The largest central directory, in bytes.
const MAX_DIRECTORY: u64 = 4 << 20;
/// The most bytes between a member's contents and the next member.
const MAX_GAP: u64 = 64 << 10;
/// The extra field with sizes and positions that need eight bytes.
pub(crate) const ZIP_64: u16 = 1;
/// Flags: encryption in one of its three forms, and sizes that stand behind the contents.
pub(crate) const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
pub(crate) const DESCRIPTOR: u16 = 1 << 3;

/// The members of an archive, in the order in which they lie in it.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) entries: Vec<Entry>,
    pub(crate) comment: Vec<u8>,
}

/// One member.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The fixed part of its record in the central directory.
    pub(crate) central: [u8; CENTRAL_LENGTH],
    pub(crate) name: Vec<u8>,
    pub(crate) extra: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    /// The extra field of its local header.
    pub(crate) local_extra: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) is_encrypted: bool,
    pub(crate) sum: u32,
    pub(crate) packed: u64,
    pub(crate) size: u64,
    local_at: u64,
    /// What lies between it and the next one.
    pub(crate) gap: Vec<u8>,
    /// The position of the contents.
    pub(crate) at: u64,
}

/// Why there is no index.
#[derive(Debug)]
pub(crate) enum NoIndex {
    /// The archive breaks off.
    BrokenOff,
    /// Readers could disagree about it.
    Damaged,
    /// It is larger than is read.
    TooLarge,
    Failed(io::Error),
}

impl From<io::Error> for NoIndex {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged,
            _ => Self::Failed(error),
        }
    }
}

/// A local header alone, of an archive without an index.
#[derive(Debug)]
pub(crate) struct LocalHeader {
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) packed: u64,
    pub(crate) name_length: u64,
    pub(crate) extra_length: u64,
}

impl LocalHeader {
    pub(crate) fn read(input: &mut dyn Read) -> io::Result<Self> {
        let header = read_on(input, LOCAL_LENGTH as u64)?;
        let field = |from: usize, to: usize| header.get(from..to).map_or(0, number);
        Ok(Self {
            flags: u16::try_from(field(6, 8)).unwrap_or_default(),
            method: u16::try_from(field(8, 10)).unwrap_or_default(),
            packed: field(18, 22),
            name_length: field(26, 28),
            extra_length: field(28, 30),
        })
    }
}

/// The extent of the central directory.
struct Directory {
    at: u64,
    size: u64,
    count: u64,
    comment: Vec<u8>,
}

impl Index {
    /// Reads the index of `archive`, which has `size` bytes.
    pub(crate) fn read<R: Read + Seek + ?Sized>(
        archive: &mut R,
        size: u64,
    ) -> Result<Self, NoIndex> {
        let directory = Directory::find(archive, size)?;
        if directory.size > MAX_DIRECTORY {
            return Err(NoIndex::TooLarge);
        }
        let text = read(archive, directory.at, directory.size)?;
        let (mut rest, mut entries) = (text.as_slice(), Vec::new());
        while !rest.is_empty() {
            entries.push(Entry::read(&mut rest).ok_or(NoIndex::Damaged)?);
        }
        if entries.len() as u64 != directory.count {
            return Err(NoIndex::Damaged);
        }
        entries.sort_by_key(|entry| entry.local_at);
        let mut ends: Vec<_> = entries.iter().skip(1).map(|entry| entry.local_at).collect();
        ends.push(directory.at);
        let begins_at = entries.first().map_or(directory.at, |entry| entry.local_at);
        if begins_at != 0 {
            return Err(NoIndex::Damaged);
        }
        for (entry, end) in entries.iter_mut().zip(ends) {
            entry.read_local(archive, end)?;
        }
        Ok(Self {
            entries,
            comment: directory.comment,
        })
    }
}

impl Index {
    /// Bytes of the central directory, about.
    pub(crate) fn bytes(&self) -> u64 {
        let all = self.entries.iter();
        let bytes = all.map(|entry| {
            CENTRAL_LENGTH + entry.name.len() + entry.extra.len() + entry.comment.len()
        });
        bytes.sum::<usize>() as u64
    }
}

impl Directory {
    fn find<R: Read + Seek + ?Sized>(archive: &mut R, size: u64) -> Result<Self, NoIndex> {
        let tail_size = size.min((END_LENGTH + usize::from(u16::MAX)) as u64);
        let tail = read(archive, size - tail_size, tail_size)?;
        let ends_here = |at: &usize| {
            let rest = tail.get(*at..).unwrap_or_default();
            let comment = rest.get(20..END_LENGTH).map(number);
            rest.starts_with(&END) && comment == Some((rest.len() - END_LENGTH) as u64)
        };
        let mut found = (0..tail.len().saturating_sub(END_LENGTH - 1)).filter(ends_here);
        let at = match (found.next(), found.next()) {
            (Some(at), None) => at,
            (Some(_), Some(_)) => return Err(NoIndex::Damaged),
            (None, _) => return Err(NoIndex::BrokenOff),
        };
        let end_at = size - tail_size + at as u64;
        let end = tail.get(at..).unwrap_or_default();
        let field = |from: usize, to: usize| end.get(from..to).map_or(0, number);
        let mut directory = Self {
            at: field(16, 20),
            size: field(12, 16),
            count: field(10, 12),
            comment: end.get(END_LENGTH..).unwrap_or_default().to_vec(),
        };
        let mut directory_end = end_at;
        let wants_64 = directory.at == 0xffff_ffff
            || directory.size == 0xffff_ffff
            || directory.count == 0xffff;
        let locator = at.checked_sub(20).and_then(|from| tail.get(from..at));
        if let Some(locator) = locator.filter(|locator| locator.starts_with(&LOCATOR)) {
            let record_at = locator.get(8..16).map_or(0, number);
            let record_size = (end_at - 20).saturating_sub(record_at);
            if !(56..=4096).contains(&record_size) {
                return Err(NoIndex::Damaged);
            }
            let record = read(archive, record_at, record_size)?;
            let field = |from: usize| record.get(from..from + 8).map_or(0, number);
            if !record.starts_with(&END_64) || field(4).checked_add(12) != Some(record_size) {
                return Err(NoIndex::Damaged);
            }
            let wide = (field(48), field(40), field(32));
            // A reader of either record must see the same directory.
            let agree = |narrow: u64, wide: u64, most: u64| narrow == most || narrow == wide;
            if !agree(directory.at, wide.0, 0xffff_ffff)
                || !agree(directory.size, wide.1, 0xffff_ffff)
                || !agree(directory.count, wide.2, 0xffff)
            {
                return Err(NoIndex::Damaged);
            }
            (directory.at, directory.size, directory.count) = wide;
            directory_end = record_at;
        } else if wants_64 && directory.count != 0xffff {
            return Err(NoIndex::Damaged);
        }
        if directory.at.checked_add(directory.size) != Some(directory_end) {
            return Err(NoIndex::Damaged);
        }
        Ok(directory)
    }
}

impl Entry {
    /// Takes the next record of the central directory.
    fn read(rest: &mut &[u8]) -> Option<Self> {
        let central: [u8; CENTRAL_LENGTH] = *rest.split_off(..CENTRAL_LENGTH)?.first_chunk()?;
        let field = |from: usize, to: usize| central.get(from..to).map_or(0, number);
        let narrow = |from: usize| u16::try_from(field(from, from + 2)).unwrap_or_default();
        if !central.starts_with(&CENTRAL) {
            return None;
        }
        let mut text = |from: usize| Some(rest.split_off(..usize::from(narrow(from)))?.to_vec());
        let (name, extra, comment) = (text(28)?, text(30)?, text(32)?);
        let mut entry = Self {
            name,
            comment,
            local_extra: Vec::new(),
            method: narrow(10),
            is_encrypted: narrow(8) & ENCRYPTED != 0,
            sum: u32::try_from(field(16, 20)).ok()?,
            packed: field(20, 24),
            size: field(24, 28),
            local_at: field(42, 46),
            gap: Vec::new(),
            at: 0,
            extra,
            central,
        };
        let mut wide = wide_numbers(&entry.extra);
        for value in [&mut entry.size, &mut entry.packed, &mut entry.local_at] {
            if *value == 0xffff_ffff {
                *value = number(wide.split_off(..8)?);
            }
        }
        Some(entry)
    }

    pub(crate) fn flags(&self) -> u16 {
        self.central
            .get(8..10)
            .map_or(0, |bytes| u16::try_from(number(bytes)).unwrap_or_default())
    }

    /// Compares the local header with the index, and finds the contents, behind which `end` follows.
    fn read_local<R: Read + Seek + ?Sized>(
        &mut self,
        archive: &mut R,
        end: u64,
    ) -> Result<(), NoIndex> {
        let room = end.saturating_sub(self.local_at);
        let header = read(archive, self.local_at, LOCAL_LENGTH as u64)?;
        let field = |from: usize, to: usize| header.get(from..to).map_or(0, number);
        let (name_length, extra_length) = (field(26, 28), field(28, 30));
        let name = read(archive, self.local_at + LOCAL_LENGTH as u64, name_length)?;
        self.local_extra = read_on(archive, extra_length)?;
        self.at = self.local_at + LOCAL_LENGTH as u64 + name_length + extra_length;
        let has_descriptor = self.flags() & DESCRIPTOR != 0;
        // Other flags tell how contents were packed, or how names are written.
        let flags = u64::from(ENCRYPTED | DESCRIPTOR);
        let same = header.starts_with(&LOCAL)
            && name == self.name
            && field(6, 8) & flags == u64::from(self.flags()) & flags
            && field(8, 10) == u64::from(self.method)
            && (has_descriptor || self.has_sizes_of(&header));
        let taken = (self.at - self.local_at).checked_add(self.packed);
        let behind = taken.and_then(|taken| room.checked_sub(taken));
        let behind = behind.filter(|length| same && *length <= MAX_GAP);
        let behind = read(
            archive,
            self.at.saturating_add(self.packed),
            behind.ok_or(NoIndex::Damaged)?,
        )?;
        let gap = if has_descriptor {
            self.behind_descriptor(&behind).ok_or(NoIndex::Damaged)?
        } else {
            behind.as_slice()
        };
        // A reader that goes from header to header would find a member there.
        if gap.windows(LOCAL.len()).any(|window| window == LOCAL) {
            return Err(NoIndex::Damaged);
        }
        self.gap = gap.to_vec();
        Ok(())
    }

    /// What follows a descriptor of sum and sizes: of 12 bytes, or of 20 with wide sizes, and of 4 more with a signature.
    fn behind_descriptor<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let unsigned = bytes.strip_prefix(b"PK\x07\x08").unwrap_or(bytes);
        let (sum, sizes) = unsigned.split_at_checked(4)?;
        let has_sizes = |width: usize| {
            let packed = sizes.get(..width).map(number);
            let size = sizes.get(width..2 * width).map(number);
            packed == Some(self.packed) && size == Some(self.size)
        };
        let width = [8, 4].into_iter().find(|width| has_sizes(*width))?;
        let same_sum = number(sum) == u64::from(self.sum);
        sizes.get(2 * width..).filter(|_| same_sum)
    }

    /// Whether sum and sizes in the local header are those of the index.
    fn has_sizes_of(&self, header: &[u8]) -> bool {
        let field = |from: usize| header.get(from..from + 4).map_or(0, number);
        let mut wide = wide_numbers(&self.local_extra);
        let mut size = |narrow: u64| match narrow {
            0xffff_ffff => wide.split_off(..8).map(number),
            narrow => Some(narrow),
        };
        field(14) == u64::from(self.sum)
            && size(field(22)) == Some(self.size)
            && size(field(18)) == Some(self.packed)
    }
}

/// The fields of an extra area, up to where it does not read as fields: some writers align contents with other bytes.
pub(crate) fn extra_fields(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let id = u16::try_from(number(rest.split_off(..2)?)).ok()?;
        let length = usize::try_from(number(rest.split_off(..2)?)).ok()?;
        Some((id, rest.split_off(..length)?))
    })
}

/// The numbers that do not fit into their fields.
fn wide_numbers(extra: &[u8]) -> &[u8] {
    let wide = extra_fields(extra).find(|(id, _)| *id == ZIP_64);
    wide.map_or(&[], |(_, wide)| wide)
}

/// A number of up to eight bytes, the lowest first.
fn number(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide.iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(wide)
}

fn read<R: Read + Seek + ?Sized>(archive: &mut R, at: u64, size: u64) -> io::Result<Vec<u8>> {
    archive.seek(SeekFrom::Start(at))?;
    read_on(archive, size)
}

fn read_on<R: Read + ?Sized>(archive: &mut R, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(size).map_err(|_| io::ErrorKind::UnexpectedEof)?];
    archive.read_exact(&mut bytes)?;
    Ok(bytes)
}
