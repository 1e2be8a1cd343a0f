use std::fs::File;
use std::io::Write;
use std::num::NonZeroU64;
use std::path::PathBuf;

use rustix::fs::Advice;

use crate::{Error, Reservation};

/// How much is written before the disk is told to begin, in bytes.
const WRITEBACK: u64 = 2 << 20;

/// How much of the archive stays in the page cache while the disk writes it, in bytes.
const CACHED: u64 = 64 << 20;

/// Where a drained archive goes.
pub(crate) trait Sink {
    /// Takes the next bytes. Not called again after an error.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error>;
}

/// For bytes that are a file already and need only their digest.
#[derive(Debug)]
pub(crate) struct Kept;

impl Sink for Kept {
    fn put(&mut self, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

/// The archive's own file, within its reservation.
#[derive(Debug)]
pub(crate) struct ArchiveFile {
    file: File,
    path: PathBuf,
    reservation: Reservation,
    written: u64,
    begun: u64,
}

impl ArchiveFile {
    pub(crate) fn new(file: File, path: PathBuf, reservation: Reservation) -> Self {
        Self {
            file,
            path,
            reservation,
            written: 0,
            begun: 0,
        }
    }

    /// The file and the reservation again.
    pub(crate) fn into_parts(self) -> (File, Reservation) {
        (self.file, self.reservation)
    }

    /// Begins to write to the disk now, so that the final sync finds little left, and lets go of what is there already: the
    /// same memory then takes the next bytes, which is twice as fast as fresh memory, and the node's page cache stays with
    /// the node's work. `DONTNEED` does both, by the state of each page (Linux `mm/fadvise.c`); where it fails, only speed
    /// is lost.
    fn begin_writeback(&mut self) {
        if self.written.saturating_sub(self.begun) >= WRITEBACK {
            let from = self.begun.saturating_sub(CACHED);
            let length = NonZeroU64::new(self.written.saturating_sub(from));
            let _ = rustix::fs::fadvise(&self.file, from, length, Advice::DontNeed);
            self.begun = self.written;
        }
    }
}

impl Sink for ArchiveFile {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = bytes.len() as u64;
        self.reservation.cover(length)?;
        self.file
            .write_all(bytes)
            .map_err(Error::io("write", &self.path))?;
        self.reservation.spend(length);
        self.written = self.written.saturating_add(length);
        self.begin_writeback();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drain::{Bounds, drain};
    use crate::fifo::Fifo;
    use crate::hasher::Hasher;
    use crate::space::Space;
    use std::os::fd::AsFd;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    fn reservation(free: u64) -> Reservation {
        Arc::new(Space::new(0, move || Ok(free)))
            .reserve(0)
            .unwrap()
    }

    #[test]
    fn a_full_disk_never_blocks_the_writer() {
        let home = tempfile::tempdir().unwrap();
        let directory = File::open(home.path()).unwrap();
        let (mut fifo, hold) =
            Fifo::create(directory.as_fd(), "archive", Duration::from_mins(1)).unwrap();
        let path = home.path().join("archive");
        let writer = std::thread::spawn(move || {
            // As containerd and CRI-O do it: the writer itself holds the reading end.
            let mut end = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .unwrap();
            let mut archive = vec![0; 8 << 20];
            archive[257..262].copy_from_slice(b"ustar");
            end.write_all(&archive).unwrap();
            drop((end, hold));
        });
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut sink = ArchiveFile::new(full, "/dev/full".into(), reservation(u64::MAX));
        let bounds = Bounds {
            max_bytes: None,
            patience: Duration::ZERO,
        };
        let drained = drain(
            &mut fifo,
            &mut sink,
            Hasher::start().unwrap(),
            bounds,
            Path::new("archive"),
        );
        writer.join().unwrap();
        assert_eq!(drained.bytes, 8 << 20);
        let error = drained.sha256.unwrap_err();
        assert!(matches!(error, Error::Full { .. }), "{error}");
    }

    #[test]
    fn nothing_is_written_into_what_must_stay_free() {
        let file = tempfile::tempfile().unwrap();
        let mut sink = ArchiveFile::new(
            file.try_clone().unwrap(),
            "archive".into(),
            reservation(1000),
        );
        assert!(matches!(sink.put(&[0; 10]), Err(Error::NoSpace { .. })));
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
}
