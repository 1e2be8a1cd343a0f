//! A spool: the runtime's archive on its way to the redactor, sealed with a key that is only in memory.
//!
//! Some runtimes keep the container paused while they write. Into a spool they can write as fast as the disk's cache takes
//! bytes, since redaction comes later. The file has no name, so nothing is left of it when the gateway ends, however it ends;
//! what the disk may still hold is AES-256-GCM under a key that was never stored.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use rustix::fs::FallocateFlags;

use crate::Error;
use crate::buffer::CHUNK;
use crate::handoff::{Giver, Taker, handoff};
use crate::sink::Buffers;
use crate::space::SpaceReservation;
use crate::spool_key::{SpoolKey, TAG};
use crate::step::{Step, StepFile, Steps, Stopwatch};

/// Buffers between the runtime and the spool.
const BUFFERS: usize = 16;

/// Bytes of a whole record in the file.
const RECORD: u64 = (CHUNK + TAG) as u64;

/// The number of records that are read before their space is given back.
const GIVE_BACK: u64 = 16;

/// Seals and writes what the runtime sends, on a thread of its own.
#[derive(Debug)]
pub(crate) struct SpoolWriter {
    giver: Option<Giver>,
    failed: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Spool, Error>>>,
}

/// A whole spool. It is read once: the space of each part is given back as soon as it is read.
#[derive(Debug)]
pub(crate) struct Spool {
    file: File,
    key: SpoolKey,
    /// Bytes of the archive.
    bytes: u64,
    /// Records that were opened.
    records: u64,
    /// The record that was opened last, and how much of it was read.
    record: Vec<u8>,
    read: usize,
    space: SpaceReservation,
}

impl SpoolWriter {
    /// Starts the thread. `file` has no name, `path` is only for errors.
    pub(crate) fn start(
        file: File,
        space: SpaceReservation,
        path: &Path,
        steps: &Steps,
    ) -> Result<Self, Error> {
        let key = SpoolKey::random().map_err(Error::io("make a key for", path))?;
        let spool = Spool {
            file,
            key,
            bytes: 0,
            records: 0,
            record: Vec::new(),
            read: 0,
            space,
        };
        let (giver, taker) = handoff(BUFFERS);
        let failed = Arc::new(AtomicBool::new(false));
        let (flag, path_of_errors) = (Arc::clone(&failed), path.to_owned());
        let seal = steps.watch(Step::Seal, StepFile::Spool);
        let write = steps.watch(Step::Write, StepFile::Spool);
        let thread = Builder::new()
            .name("archive-spool".to_owned())
            .spawn(move || spool.fill(&taker, &flag, &path_of_errors, (seal, write)))
            .map_err(Error::io("start a thread for", path))?;
        Ok(Self {
            giver: Some(giver),
            failed,
            thread: Some(thread),
        })
    }

    /// Waits until everything is written.
    pub(crate) fn finish(mut self) -> Result<Spool, Error> {
        self.join().unwrap_or(Err(Error::Worker))
    }

    fn join(&mut self) -> Option<Result<Spool, Error>> {
        self.giver = None;
        self.thread.take().and_then(|thread| thread.join().ok())
    }
}

/// All buffers but the last must be whole.
impl Buffers for SpoolWriter {
    fn giver(&self) -> Option<&Giver> {
        self.giver.as_ref()
    }

    fn failure(&self) -> &AtomicBool {
        &self.failed
    }
}

impl Drop for SpoolWriter {
    /// Waits for the thread, so that the spool's space is free afterwards.
    fn drop(&mut self) {
        drop(self.join());
    }
}

impl Spool {
    /// Seals and writes everything that comes. Always takes buffers to the end: the runtime would block for ever otherwise.
    fn fill(
        mut self,
        taker: &Taker,
        failed: &AtomicBool,
        path: &Path,
        (mut seal, mut write): (Stopwatch, Stopwatch),
    ) -> Result<Self, Error> {
        let mut fault = None;
        let mut number = 0;
        while let Some(chunk) = taker.next() {
            let (mut buffer, length) = (chunk.buffer, chunk.length as u64);
            if fault.is_none() && length > 0 {
                let record = buffer.with_spare(chunk.length);
                let sealed = seal.time(|| self.key.seal(number, record));
                seal.count(length);
                let written = sealed
                    .map_err(Error::io("seal", path))
                    .and_then(|()| write.time(|| self.append(record, path)));
                write.count(length);
                fault = written.err();
                failed.store(fault.is_some(), Ordering::Relaxed);
                self.bytes = self.bytes.saturating_add(length);
                number += 1;
            }
            taker.give_back(buffer);
        }
        fault.map_or(Ok(self), Err)
    }

    fn append(&mut self, record: &[u8], path: &Path) -> Result<(), Error> {
        let length = record.len() as u64;
        self.space.cover(length)?;
        self.file
            .write_all(record)
            .map_err(Error::io("write", path))?;
        self.space.spend(length);
        Ok(())
    }

    /// Opens the next record; `false` after the last.
    fn next_record(&mut self) -> io::Result<bool> {
        let before = self.records.saturating_mul(CHUNK as u64);
        let left = self.bytes.saturating_sub(before);
        let length = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        if length == 0 {
            return Ok(false);
        }
        self.record.resize(length + TAG, 0);
        let at = self.records.saturating_mul(RECORD);
        self.file.read_exact_at(&mut self.record, at)?;
        self.key.open(self.records, &mut self.record)?;
        self.records += 1;
        self.read = 0;
        if self.records.is_multiple_of(GIVE_BACK) {
            let from = (self.records - GIVE_BACK).saturating_mul(RECORD);
            // Where the file system cannot, the space is free when the file is closed.
            let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = rustix::fs::fallocate(&self.file, hole, from, GIVE_BACK * RECORD);
        }
        Ok(true)
    }
}

impl Read for Spool {
    /// An error of kind [`io::ErrorKind::InvalidData`] where the file was changed.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.record.len() {
            let opened = self.next_record();
            if !matches!(opened, Ok(true)) {
                self.record.clear();
                self.read = 0;
                return opened.map(|_| 0);
            }
        }
        let rest = self.record.get(self.read..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        self.read += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Space;
    use proptest::prelude::*;
    use std::sync::atomic::AtomicU32;

    /// On a disk that reports plenty of space `plenty` times, then none.
    fn writer(file: File, plenty: u32) -> SpoolWriter {
        let left = AtomicU32::new(plenty);
        let take = |left: u32| left.checked_sub(1);
        let free = move || {
            let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
            Ok(taken.map_or(0, |_| u64::MAX))
        };
        let space = Arc::new(Space::new(0, free)).reserve(0).unwrap();
        SpoolWriter::start(file, space, Path::new("spool"), &Steps::default()).unwrap()
    }

    fn feed(writer: &SpoolWriter, data: &[u8]) {
        for piece in data.chunks(CHUNK) {
            let mut buffer = writer.buffer();
            buffer[..piece.len()].copy_from_slice(piece);
            writer.feed(buffer, piece.len());
        }
    }

    fn spooled(data: &[u8]) -> (Spool, File) {
        let file = tempfile::tempfile().unwrap();
        let writer = writer(file.try_clone().unwrap(), u32::MAX);
        feed(&writer, data);
        (writer.finish().unwrap(), file)
    }

    fn data(length: usize) -> Vec<u8> {
        (0..=250).cycle().take(length).collect()
    }

    fn read(mut spool: Spool) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        spool.read_to_end(&mut all).map(|_| all)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn gives_back_the_bytes_that_it_took(
            length in prop_oneof![0usize..3, CHUNK - 1..CHUNK + 2, 2 * CHUNK..20 * CHUNK],
        ) {
            let data = data(length);
            prop_assert!(read(spooled(&data).0).unwrap() == data);
        }
    }

    #[test]
    fn the_file_shows_nothing_and_is_never_sealed_alike() {
        let secret = b"swordfish".repeat(1000);
        let [one, other] = [(); 2].map(|()| {
            let (_spool, file) = spooled(&secret);
            let mut sealed = vec![0; secret.len() + TAG];
            file.read_exact_at(&mut sealed, 0).unwrap();
            assert_eq!(file.metadata().unwrap().len(), sealed.len() as u64);
            assert!(!sealed.windows(9).any(|window| window == b"swordfish"));
            sealed
        });
        assert_ne!(one, other);
    }

    #[test]
    fn notices_a_changed_byte_anywhere() {
        for at in [0, CHUNK as u64 - 1, RECORD - 1, RECORD, 2 * RECORD + 99] {
            let (spool, file) = spooled(&data(2 * CHUNK + 100));
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 1], at).unwrap();
            let refused = read(spool).unwrap_err();
            assert_eq!(
                refused.kind(),
                io::ErrorKind::InvalidData,
                "{at}: {refused}"
            );
        }
    }

    #[test]
    fn notices_swapped_and_missing_records() {
        let (spool, file) = spooled(&data(2 * CHUNK));
        let [mut one, mut other] = [(); 2].map(|()| vec![0; CHUNK + TAG]);
        file.read_exact_at(&mut one, 0).unwrap();
        file.read_exact_at(&mut other, RECORD).unwrap();
        file.write_all_at(&other, 0).unwrap();
        file.write_all_at(&one, RECORD).unwrap();
        let refused = read(spool).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        let (spool, file) = spooled(&data(2 * CHUNK));
        file.set_len(RECORD).unwrap();
        let refused = read(spool).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn gives_space_back_while_it_is_read() {
        use std::os::unix::fs::MetadataExt;
        let (mut spool, file) = spooled(&data(48 * CHUNK));
        let blocks = || file.metadata().unwrap().blocks() * 512;
        let whole = blocks();
        let mut half = vec![0; 33 * CHUNK];
        spool.read_exact(&mut half).unwrap();
        // Some file systems cannot.
        assert!(blocks() <= whole);
        assert!(half == data(33 * CHUNK));
        assert!(read(spool).unwrap() == data(48 * CHUNK)[33 * CHUNK..]);
    }

    #[test]
    fn a_full_disk_never_blocks_the_writer() {
        let full = || File::options().write(true).open("/dev/full").unwrap();
        let fresh = || tempfile::tempfile().unwrap();
        // The file system is full, or the floor is reached: at once, or later.
        for (file, plenty) in [(full(), u32::MAX), (fresh(), 1), (fresh(), 2)] {
            let writer = writer(file, plenty);
            feed(&writer, &data(60 * CHUNK));
            let refused = writer.finish().unwrap_err();
            let expected = matches!(refused, Error::Full { .. } | Error::NoSpace { .. });
            assert!(expected, "{refused}");
        }
    }

    #[test]
    fn dropping_ends_the_thread_and_frees_the_space() {
        let space = Arc::new(Space::new(0, || Ok(100 << 20)));
        let file = tempfile::tempfile().unwrap();
        let reserved = space.reserve(60 << 20).unwrap();
        let writer =
            SpoolWriter::start(file, reserved, Path::new("spool"), &Steps::default()).unwrap();
        feed(&writer, &data(1000));
        assert!(space.reserve(60 << 20).is_err());
        drop(writer);
        space.reserve(60 << 20).unwrap();
    }
}
