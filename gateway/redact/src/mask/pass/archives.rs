//! Archives inside the archive: the container's changed files, and dumped tmpfs.

use std::io::{BufRead, BufReader, Read, Take};

use flate2::read::MultiGzDecoder;
use gateway_core::Place;

use super::{Pass, opaque};
use crate::Error;
use crate::content::is_gzip;
use crate::mask::dropped_entries::DroppedEntries;
use crate::mask::spool::{GzipWriter, SpoolWriter, Stored};
use crate::scratch::Spool;
use crate::search::Tally;
use crate::sink::{Discard, Sink};
use crate::stream::{ensure_complete, read_pieces};
use crate::tar::{BLOCK, Header, Member, for_error};

/// Bytes that are unpacked at once.
const BUFFER: usize = 1 << 17;

/// The format of an archive inside the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Empty,
    Tar,
    Gzip,
    Other,
}

impl Pass<'_> {
    /// `rootfs-diff.tar` or a dumped tmpfs. Returns the number of bytes of contents that were written.
    pub(super) fn archive(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        let drops = self.drops.reaches_into(&member.name);
        if !drops && !self.rules.searches(Place::Files) {
            self.write_front(member, out)?;
            return read_pieces(body, |bytes| out.put(bytes)).map(|()| member.size);
        }
        let mut start = Vec::new();
        body.take(BLOCK as u64)
            .read_to_end(&mut start)
            .map_err(Error::reading)?;
        ensure_complete(member.size.min(BLOCK as u64) - start.len() as u64)?;
        let mut body = start.as_slice().chain(body);
        match Format::of(&start) {
            Format::Gzip => self.gzip(member, &mut body, out),
            Format::Tar if drops => self.shortened_tar(member, &mut body, out),
            Format::Empty | Format::Tar => {
                self.write_front(member, out)?;
                self.inner(None).run(&mut body, out).map(|_| member.size)
            }
            Format::Other => Err(opaque(
                member,
                "it is neither a tar archive nor one compressed with gzip",
            )),
        }
    }

    /// A tar archive from which entries may be left out: its size is known only at its end.
    fn shortened_tar(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        let mut original = SpoolWriter::new(self.scratch)?;
        read_pieces(body, |bytes| original.put(bytes))?;
        let mut original = original.finish()?;
        ensure_complete(member.size.saturating_sub(original.size))?;
        let dropped = {
            let mut tar = BufReader::with_capacity(BUFFER, rewound(&mut *original.spool)?);
            DroppedEntries::read(self.drops, &member.name, &mut tar, self.members_left)?
        };
        let mut input = BufReader::with_capacity(BUFFER, rewound(&mut *original.spool)?);
        let mut tar = SpoolWriter::new(self.scratch)?;
        self.inner(Some(&dropped)).run(&mut input, &mut tar)?;
        self.write_stored(member, tar.finish()?, out)
    }

    /// A compressed archive is stored as it came until it is clear whether it changes. If not, it is passed on as it came.
    fn gzip(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        let mut original = SpoolWriter::new(self.scratch)?;
        read_pieces(body, |bytes| original.put(bytes))?;
        let mut original = original.finish()?;
        ensure_complete(member.size.saturating_sub(original.size))?;
        let mut dropped = None;
        if self.drops.reaches_into(&member.name) {
            let limit = self.settings.max_unpacked(member.size);
            let mut tar = Unpacked::new(&mut *original.spool, limit)?;
            let read =
                DroppedEntries::read(self.drops, &member.name, &mut tar.0, self.members_left);
            tar.ensure_bounded(member, limit)?;
            dropped = Some(read?);
        }
        let dropped = dropped.as_ref();
        let before = self.drops.counts();
        let (changed, _) = self.unpack(member, dropped, &mut *original.spool, &mut Discard)?;
        if !changed {
            return self.write_stored(member, original, out);
        }
        self.drops.restore_counts(&before);
        let mut compressed = GzipWriter::new(self.scratch)?;
        let (_, found) = self.unpack(member, dropped, &mut *original.spool, &mut compressed)?;
        self.found.merge(&found);
        self.write_stored(member, compressed.finish()?, out)
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

    /// Unpacks and masks `original`. Returns whether anything changed, and what was masked.
    fn unpack(
        &mut self,
        member: &Member,
        dropped: Option<&DroppedEntries>,
        original: &mut dyn Spool,
        out: &mut dyn Sink,
    ) -> Result<(bool, Tally), Error> {
        let limit = self.settings.max_unpacked(member.size);
        let mut unpacked = Unpacked::new(original, limit)?;
        let (mut found, mut members_left) = (Tally::default(), self.members_left);
        let mut inner = self.inner(dropped);
        inner.found = &mut found;
        inner.members_left = &mut members_left;
        let outcome = inner.run(&mut unpacked.0, out);
        unpacked.ensure_bounded(member, limit)?;
        self.members_left = members_left;
        let changed = outcome?;
        Ok((changed || found.iter().next().is_some(), found))
    }
}

/// A compressed archive that is unpacked up to a limit.
struct Unpacked<'a>(BufReader<Take<MultiGzDecoder<BufReader<&'a mut dyn Spool>>>>);

impl<'a> Unpacked<'a> {
    fn new(original: &'a mut dyn Spool, limit: u64) -> Result<Self, Error> {
        let packed = BufReader::with_capacity(BUFFER, rewound(original)?);
        let decoder = MultiGzDecoder::new(packed).take(limit.saturating_add(1));
        Ok(Self(BufReader::with_capacity(BUFFER, decoder)))
    }

    fn ensure_bounded(&self, member: &Member, limit: u64) -> Result<(), Error> {
        if self.0.get_ref().limit() > 0 {
            return Ok(());
        }
        Err(Error::Bomb {
            member: for_error(&member.name),
            limit,
        })
    }
}

fn rewound(spool: &mut dyn Spool) -> Result<&mut dyn Spool, Error> {
    spool.rewind().map_err(Error::Scratch)?;
    Ok(spool)
}

impl Format {
    fn of(start: &[u8]) -> Self {
        let header = start.first_chunk().map(Header::parse);
        match header {
            _ if start.is_empty() => Self::Empty,
            _ if is_gzip(start) => Self::Gzip,
            Some(Ok(_)) => Self::Tar,
            _ => Self::Other,
        }
    }
}
