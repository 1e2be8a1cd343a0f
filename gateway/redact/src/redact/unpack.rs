use std::io::{BufRead, BufReader, Read, Seek};

use flate2::read::MultiGzDecoder;
use gateway_core::Place;

use super::gzip::{self, Packer, copy_spool};
use super::header::{BLOCK, Header};
use super::member::Member;
use super::name::shown;
use super::pass::{Discard, Pass};
use super::screen::pieces;
use crate::Error;
use crate::scratch::Spool;
use crate::search::Tally;
use crate::sink::Sink;

/// What an archive inside the archive is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Empty,
    Tar,
    Gzip,
    Other,
}

impl Pass<'_> {
    /// `rootfs-diff.tar` or a dumped tmpfs. Tells the size of the contents that were written.
    pub(super) fn archive(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        let drops = self.drops.reach_into(&member.name);
        if !drops && !self.rules.looks_in(Place::Files) {
            self.front(member, out)?;
            return pieces(body, |bytes| out.put(bytes)).map(|()| member.size);
        }
        let mut start = Vec::new();
        body.take(BLOCK as u64)
            .read_to_end(&mut start)
            .map_err(Error::reading)?;
        super::inner::whole(member.size.min(BLOCK as u64) - start.len() as u64)?;
        let form = Form::of(&start);
        let mut body = start.as_slice().chain(body);
        match form {
            Form::Gzip => self.gzip(member, &mut body, out),
            Form::Tar if drops => self.spooled_tar(member, &mut body, out),
            Form::Empty | Form::Tar => {
                self.front(member, out)?;
                self.inner(member).run(&mut body, out).map(|_| member.size)
            }
            Form::Other => {
                let member = shown(&member.name);
                Err(Error::Opaque {
                    member,
                    reason: "it is neither a tar archive nor one in gzip",
                })
            }
        }
    }

    /// Its size is known only when all of it is through.
    fn spooled_tar(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        let mut spool = self.spooled()?;
        self.inner(member).run(body, &mut spool)?;
        let (mut file, size) = spool.finish()?;
        self.front_for(member, size, out)?;
        copy_spool(&mut *file, size, out).map(|()| size)
    }

    fn front_for(&mut self, member: &Member, size: u64, out: &mut dyn Sink) -> Result<(), Error> {
        if size == member.size {
            self.front(member, out)
        } else {
            self.front(&member.resized(size)?, out)
        }
    }

    /// Kept as it came until it is clear whether anything in it is to be hidden: if not, it goes on as it came.
    fn gzip(
        &mut self,
        member: &Member,
        body: &mut dyn BufRead,
        out: &mut dyn Sink,
    ) -> Result<u64, Error> {
        let mut spool = self.spooled()?;
        pieces(body, |bytes| spool.put(bytes))?;
        let (mut original, size) = spool.finish()?;
        super::inner::whole(member.size.saturating_sub(size))?;
        let before = self.drops.counts();
        let (changed, _) = self.unpack(member, &mut *original, &mut Discard)?;
        if !changed {
            self.front(member, out)?;
            return copy_spool(&mut *original, size, out).map(|()| size);
        }
        self.drops.set_counts(&before);
        let mut packer = Packer::new(self.scratch.create().map_err(Error::Scratch)?);
        let (_, found) = self.unpack(member, &mut *original, &mut packer)?;
        self.found.merge(&found);
        let (mut packed, size) = packer.finish()?;
        self.front_for(member, size, out)?;
        copy_spool(&mut *packed, size, out).map(|()| size)
    }

    fn spooled(&mut self) -> Result<Spooled, Error> {
        Ok(Spooled::new(self.scratch.create().map_err(Error::Scratch)?))
    }

    /// Goes through what is in `original`; tells whether anything in it changes, and what is hidden in it.
    fn unpack(
        &mut self,
        member: &Member,
        original: &mut dyn Spool,
        out: &mut dyn Sink,
    ) -> Result<(bool, Tally), Error> {
        original.rewind().map_err(Error::Scratch)?;
        let limit = self.settings.unpacked(member.size);
        let decoder = MultiGzDecoder::new(BufReader::with_capacity(1 << 17, original));
        let mut unpacked = BufReader::with_capacity(1 << 17, decoder.take(limit.saturating_add(1)));
        let (mut found, mut left) = (Tally::default(), self.left);
        let mut inner = self.inner(member);
        inner.found = &mut found;
        inner.left = &mut left;
        let outcome = inner.run(&mut unpacked, out);
        if unpacked.get_ref().limit() == 0 {
            return Err(Error::Bomb {
                member: shown(&member.name),
                limit,
            });
        }
        self.left = left;
        let dropped = outcome?;
        Ok((dropped || found.iter().next().is_some(), found))
    }
}

impl Form {
    fn of(start: &[u8]) -> Self {
        let header = start.first_chunk().map(Header::parse);
        match header {
            _ if start.is_empty() => Self::Empty,
            _ if start.starts_with(&gzip::MAGIC) => Self::Gzip,
            Some(Ok(_)) => Self::Tar,
            _ => Self::Other,
        }
    }
}

/// A private file that is being written.
struct Spooled {
    file: std::io::BufWriter<Box<dyn Spool>>,
    bytes: u64,
}

impl Spooled {
    fn new(file: Box<dyn Spool>) -> Self {
        Self {
            file: std::io::BufWriter::with_capacity(1 << 17, file),
            bytes: 0,
        }
    }

    fn finish(self) -> Result<(Box<dyn Spool>, u64), Error> {
        let file = self
            .file
            .into_inner()
            .map_err(|error| Error::Scratch(error.into_error()));
        let mut file = file?;
        file.rewind().map_err(Error::Scratch)?;
        Ok((file, self.bytes))
    }
}

impl Sink for Spooled {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        std::io::Write::write_all(&mut self.file, bytes).map_err(Error::Scratch)
    }
}
