//! A file of an archive that is being written, within its reservation.

use std::fs::File;
use std::io::Write;
use std::num::NonZeroU64;
use std::path::PathBuf;

use rustix::fs::Advice;

use crate::Error;
use crate::sink::Sink;
use crate::space::SpaceReservation;

/// The number of bytes that are written before each writeback.
const WRITEBACK: u64 = 2 << 20;

/// The number of bytes that stay in the page cache while the disk writes them.
const CACHED: u64 = 64 << 20;

/// A file that is being written, within its reservation of disk space.
#[derive(Debug)]
pub(crate) struct ArchiveFile {
    file: File,
    path: PathBuf,
    space: SpaceReservation,
    written: u64,
    flushed: u64,
}

impl ArchiveFile {
    pub(crate) fn new(file: File, path: PathBuf, space: SpaceReservation) -> Self {
        Self {
            file,
            path,
            space,
            written: 0,
            flushed: 0,
        }
    }

    /// The file and what is left of its reservation.
    pub(crate) fn into_parts(self) -> (File, SpaceReservation) {
        (self.file, self.space)
    }

    /// Starts writeback now, so that the final sync has little left to do, and drops pages that are on the disk already:
    /// reusing their memory is twice as fast as taking fresh memory, and the node's page cache stays with the node's work.
    /// `DONTNEED` does both, by the state of each page (Linux `mm/fadvise.c`); where it fails, only speed is lost.
    fn begin_writeback(&mut self) {
        if self.written.saturating_sub(self.flushed) >= WRITEBACK {
            let from = self.flushed.saturating_sub(CACHED);
            let length = NonZeroU64::new(self.written.saturating_sub(from));
            let _ = rustix::fs::fadvise(&self.file, from, length, Advice::DontNeed);
            self.flushed = self.written;
        }
    }
}

impl Sink for ArchiveFile {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = bytes.len() as u64;
        self.space.cover(length)?;
        self.file
            .write_all(bytes)
            .map_err(Error::io("write", &self.path))?;
        self.space.spend(length);
        self.written = self.written.saturating_add(length);
        self.begin_writeback();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Space;
    use std::sync::Arc;

    #[test]
    fn writes_nothing_into_space_that_must_stay_free() {
        let file = tempfile::tempfile().unwrap();
        let space = Arc::new(Space::new(0, || Ok(1000))).reserve(0).unwrap();
        let mut sink = ArchiveFile::new(file.try_clone().unwrap(), "archive".into(), space);
        assert!(matches!(sink.put(&[0; 10]), Err(Error::NoSpace { .. })));
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
}
