use std::io::{self, Read, Seek};
use std::mem;

use gateway_core::Transport;
use gateway_redact::Redactor;

use crate::drain::{Bounds, Drained, begins_like_a_tar, fill, throw_away};
use crate::hashed::Hashed;
use crate::hasher::Hasher;
use crate::keeper::Keeper;
use crate::place::{LOCATION, Place};
use crate::publish::Archive;
use crate::sink::ArchiveFile;
use crate::worker::{bounds, start_hasher, untouched};
use crate::{Error, Reservation};

/// What the passes after the first, and those over a runtime's own file, write to.
const PASSES: [&str; 3] = ["redacted.1.tar", "redacted.2.tar", "redacted.3.tar"];

/// An archive that is taken in through a redactor.
pub(crate) struct Redacting {
    redactor: Redactor,
    /// Whether what is written needs another pass.
    again: bool,
    /// What the last pass wrote.
    pub(crate) bytes: u64,
    /// Takes what the runtime wrote, where that is kept.
    keeper: Option<Keeper>,
    names: std::array::IntoIter<&'static str, 3>,
}

impl Redacting {
    pub(crate) fn new(redactor: Redactor, keeper: Option<Keeper>) -> Self {
        Self {
            redactor,
            again: false,
            bytes: 0,
            keeper,
            names: PASSES.into_iter(),
        }
    }

    /// The first pass: as [`crate::drain::drain`], with the redactor between source and file. The digest is that of what
    /// is written.
    pub(crate) fn drain(
        &mut self,
        source: &mut impl Read,
        file: &mut ArchiveFile,
        hasher: Hasher,
        place: &Place,
    ) -> Drained {
        let keeper = self.keeper.take();
        let mut feed = Feed::new(source, bounds(place), keeper.as_ref());
        let outcome = self.pass(&mut feed, file, hasher, place);
        let drained = feed.finish(outcome, place);
        self.keeper = keeper;
        drained
    }

    /// The runtime's own file, which goes as soon as it is redacted.
    pub(crate) fn adopt(
        mut self,
        place: &Place,
        reservation: Reservation,
    ) -> Result<(Archive, Reservation), Error> {
        let (mut source, before) = place.open_location()?;
        let (mut file, name) = self.next_file(place, reservation)?;
        let drained = self.drain(&mut source, &mut file, start_hasher(place)?, place);
        let sha256 = drained.sha256?;
        let after = rustix::fs::fstat(&source).map_err(Error::io("look at", place.location()))?;
        if !untouched(&before, &after, drained.bytes) {
            return Err(Error::Changed {
                path: place.location().to_owned(),
            });
        }
        place.remove(LOCATION);
        let (file, reservation) = file.into_parts();
        let transport = Transport::File;
        let archive = Archive {
            file,
            name,
            bytes: self.bytes,
            sha256,
            transport,
            redaction: None,
            original: None,
        };
        self.complete(place, archive, reservation)
    }

    /// The passes that are still needed, and the last check.
    pub(crate) fn complete(
        mut self,
        place: &Place,
        mut archive: Archive,
        mut reservation: Reservation,
    ) -> Result<(Archive, Reservation), Error> {
        while self.again {
            let (mut file, name) = self.next_file(place, reservation)?;
            archive
                .file
                .rewind()
                .map_err(Error::io("read", &place.path_of(archive.name)))?;
            archive.sha256 =
                self.pass(&mut archive.file, &mut file, start_hasher(place)?, place)?;
            place.remove(mem::replace(&mut archive.name, name));
            (archive.file, reservation) = file.into_parts();
            archive.bytes = self.bytes;
        }
        archive.original = self.keeper.map(Keeper::finish).transpose()?;
        archive.redaction = Some(self.redactor.finish(&mut archive.file)?);
        Ok((archive, reservation))
    }

    fn pass(
        &mut self,
        input: &mut dyn Read,
        file: &mut ArchiveFile,
        hasher: Hasher,
        place: &Place,
    ) -> Result<String, Error> {
        let mut out = Hashed::new(file, hasher);
        self.again = self.redactor.pass(input, &mut out, &mut &*place)?;
        self.bytes = out.bytes();
        out.finish()
    }

    fn next_file(
        &mut self,
        place: &Place,
        reservation: Reservation,
    ) -> Result<(ArchiveFile, &'static str), Error> {
        let name = self
            .names
            .next()
            .ok_or(gateway_redact::Error::NotSettled { passes: 3 })?;
        Ok((
            ArchiveFile::new(place.create(name)?, place.path_of(name), reservation),
            name,
        ))
    }
}

/// What comes from a source, within its bounds. Remembers why it ended.
struct Feed<'a, R> {
    source: &'a mut R,
    bounds: Bounds,
    keeper: Option<&'a Keeper>,
    bytes: u64,
    fault: Option<Error>,
    end: Option<io::Result<()>>,
}

impl<'a, R: Read> Feed<'a, R> {
    fn new(source: &'a mut R, bounds: Bounds, keeper: Option<&'a Keeper>) -> Self {
        Self {
            source,
            bounds,
            keeper,
            bytes: 0,
            fault: None,
            end: None,
        }
    }

    /// Reads to the end whatever happened: the runtime would block for ever if we stopped.
    fn finish(mut self, outcome: Result<String, Error>, place: &Place) -> Drained {
        let early = self.end.is_some();
        if outcome.is_ok() && self.keeper.is_some() {
            // What follows the archive's end is not redacted, since it is not published, but it belongs to the original.
            let _ = io::copy(&mut self, &mut io::sink());
        }
        let end = self
            .end
            .take()
            .unwrap_or_else(|| throw_away(self.source, &mut self.bytes));
        let silent = end
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        let late = end.err().map(|error| match error.kind() {
            io::ErrorKind::TimedOut => Error::TooSlow {
                patience: self.bounds.patience,
            },
            _ => Error::io("read", place.location())(error),
        });
        let empty = (self.bytes == 0).then_some(Error::Empty);
        // What ended the source ended the pass too, so it is the better reason; what came after the pass is not.
        let (before, after) = if early { (late, None) } else { (None, late) };
        let fault = self.fault.or(before).or(empty);
        let sha256 = fault
            .map_or(outcome, Err)
            .and_then(|sha256| after.map_or(Ok(sha256), Err));
        Drained {
            bytes: self.bytes,
            sha256,
            silent,
        }
    }

    fn judge(&self, chunk: &[u8]) -> Result<(), Error> {
        if self.bytes == 0 && !chunk.is_empty() && !begins_like_a_tar(chunk) {
            return Err(Error::NotATar);
        }
        let bytes = self.bytes.saturating_add(chunk.len() as u64);
        match self.bounds.max_bytes.filter(|max| bytes > *max) {
            Some(max) => Err(Error::TooLarge { max }),
            None => Ok(()),
        }
    }
}

impl<R: Read> Read for Feed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.end {
            None => {}
            Some(Ok(())) => return Ok(0),
            Some(Err(error)) => return Err(error.kind().into()),
        }
        let (length, end) = fill(self.source, buffer);
        self.fault = self.judge(buffer.get(..length).unwrap_or_default()).err();
        self.bytes = self.bytes.saturating_add(length as u64);
        self.end = end;
        if let (None, Some(keeper)) = (&self.fault, self.keeper) {
            keeper.put(buffer.get(..length).unwrap_or_default());
        }
        if self.fault.is_some() {
            Err(io::ErrorKind::Other.into())
        } else {
            Ok(length)
        }
    }
}
