//! A file of an archive that is being written, within its reservation.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use rustix::fs::{Advice, OFlags};
use rustix::io::Errno;

use crate::Error;
use crate::buffer::ALIGNMENT;
use crate::sink::Sink;
use crate::space::SpaceReservation;

/// The number of bytes that are written before each writeback.
const WRITEBACK: u64 = 2 << 20;

/// The number of bytes that stay in the page cache while the disk writes them.
const CACHED: u64 = 64 << 20;

/// The way of an archive's bytes to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    /// Around the page cache (`O_DIRECT`), where the file system can: the disk has every byte when the last is written, no
    /// time goes into copies, and the node's page cache stays with the node's work. Writing waits for the disk.
    Bypass,
    /// Through the page cache, as fast as that takes bytes.
    Use,
}

/// A file that is being written, within its reservation of disk space.
#[derive(Debug)]
pub(crate) struct ArchiveFile {
    file: File,
    path: PathBuf,
    space: SpaceReservation,
    cache: Cache,
    written: u64,
    flushed: u64,
}

impl ArchiveFile {
    pub(crate) fn new(file: File, path: PathBuf, space: SpaceReservation, cache: Cache) -> Self {
        let cache = match cache {
            Cache::Bypass if set_direct(&file, true).is_ok() => Cache::Bypass,
            Cache::Bypass | Cache::Use => Cache::Use,
        };
        Self {
            file,
            path,
            space,
            cache,
            written: 0,
            flushed: 0,
        }
    }

    /// The file and what is left of its reservation.
    pub(crate) fn into_parts(mut self) -> Result<(File, SpaceReservation), Error> {
        self.use_cache()?;
        Ok((self.file, self.space))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let aligned = bytes.as_ptr().align_offset(ALIGNMENT) == 0
            && bytes.len().is_multiple_of(ALIGNMENT)
            && self.written.is_multiple_of(ALIGNMENT as u64);
        if !aligned {
            // The last bytes of an archive.
            self.use_cache()?;
        }
        let mut written = self.file.write_all_at(bytes, self.written);
        if self.cache == Cache::Bypass && refuses_direct(&written) {
            // A disk with larger blocks, or a file system that says so only now.
            self.use_cache()?;
            written = self.file.write_all_at(bytes, self.written);
        }
        written.map_err(Error::io("write", &self.path))
    }

    fn use_cache(&mut self) -> Result<(), Error> {
        if self.cache == Cache::Bypass {
            set_direct(&self.file, false).map_err(Error::io("write", &self.path))?;
            self.cache = Cache::Use;
            self.flushed = self.written;
        }
        Ok(())
    }

    /// Starts writeback now, so that the final sync has little left to do, and drops pages that are on the disk already:
    /// reusing their memory is twice as fast as taking fresh memory, and the node's page cache stays with the node's work.
    /// `DONTNEED` does both, by the state of each page (Linux `mm/fadvise.c`); where it fails, only speed is lost.
    fn begin_writeback(&mut self) {
        if self.cache == Cache::Use && self.written.saturating_sub(self.flushed) >= WRITEBACK {
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
        self.write(bytes)?;
        self.space.spend(length);
        self.written = self.written.saturating_add(length);
        self.begin_writeback();
        Ok(())
    }
}

fn set_direct(file: &File, direct: bool) -> Result<(), Errno> {
    let mut flags = rustix::fs::fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, direct);
    rustix::fs::fcntl_setfl(file, flags)
}

fn refuses_direct(written: &io::Result<()>) -> bool {
    let error = written.as_ref().err().and_then(Errno::from_io_error);
    matches!(error, Some(Errno::INVAL | Errno::OPNOTSUPP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::{Buffer, CHUNK};
    use crate::space::Space;
    use std::sync::Arc;

    fn space(free: u64) -> SpaceReservation {
        Arc::new(Space::new(0, move || Ok(free)))
            .reserve(0)
            .unwrap()
    }

    #[test]
    fn writes_nothing_into_space_that_must_stay_free() {
        let file = tempfile::tempfile().unwrap();
        let mut sink = ArchiveFile::new(
            file.try_clone().unwrap(),
            "archive".into(),
            space(1000),
            Cache::Use,
        );
        assert!(matches!(sink.put(&[0; 10]), Err(Error::NoSpace { .. })));
        assert_eq!(file.metadata().unwrap().len(), 0);
    }

    #[test]
    fn aligned_and_other_pieces_lie_one_behind_the_other() {
        for cache in [Cache::Bypass, Cache::Use] {
            let file = tempfile::tempfile().unwrap();
            let clone = file.try_clone().unwrap();
            let mut sink = ArchiveFile::new(clone, "archive".into(), space(u64::MAX), cache);
            let mut expected = Vec::new();
            for (byte, length) in [(1, CHUNK), (2, 2 * ALIGNMENT), (3, 100), (4, CHUNK), (5, 0)] {
                let mut buffer = Buffer::new();
                buffer.fill(byte);
                sink.put(&buffer[..length]).unwrap();
                expected.extend(vec![byte; length]);
            }
            let (mut file, _) = sink.into_parts().unwrap();
            assert!(
                !rustix::fs::fcntl_getfl(&file)
                    .unwrap()
                    .contains(OFlags::DIRECT)
            );
            let mut found = Vec::new();
            io::Seek::rewind(&mut file).unwrap();
            io::Read::read_to_end(&mut file, &mut found).unwrap();
            assert!(found == expected, "{cache:?}");
        }
    }

    #[test]
    fn a_device_that_knows_no_direct_writes_gets_others() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut sink = ArchiveFile::new(full, "full".into(), space(u64::MAX), Cache::Bypass);
        assert_eq!(sink.cache, Cache::Use);
        assert!(matches!(sink.put(&[0; 4096]), Err(Error::Full { .. })));
    }
}
