//! Moves an archive from its source to a sink, and always reads the source to its end.

use std::io::{self, Read};
use std::path::Path;

use crate::Error;
use crate::bounds::Bounds;
use crate::sink::Buffers;
use crate::step::Stopwatch;

/// The offset of the magic in a tar header (POSIX.1-1988 and, with another sixth byte, GNU).
const MAGIC_AT: usize = 257;
const MAGIC: &[u8] = b"ustar";

/// The result of draining a source.
#[derive(Debug)]
pub(crate) struct Drained<T = String> {
    /// All bytes that came, kept or not.
    pub(crate) bytes: u64,
    /// What was made of them, such as the SHA-256 in hex, or why the archive cannot be kept.
    pub(crate) outcome: Result<T, Error>,
    /// Whether a writer neither went on nor finished in time.
    pub(crate) stalled: bool,
}

/// The end of a source, before it is known whether its bytes could be written.
#[derive(Debug)]
pub(crate) struct Moved {
    bytes: u64,
    fault: Option<Error>,
    end: Option<Error>,
    stalled: bool,
}

/// Moves everything from `source` (at `path`) to `output`. Always reads to the end: the runtime holds the FIFO open for
/// reading too, so it would block for ever otherwise. After a fault, further bytes are discarded.
pub(crate) fn drain(
    source: &mut impl Read,
    output: &impl Buffers,
    bounds: Bounds,
    path: &Path,
    mut receive: Stopwatch,
) -> Moved {
    let mut bytes = 0u64;
    let mut fault;
    let end = loop {
        let mut buffer = output.buffer();
        let (length, end) = receive.time(|| fill(source, &mut buffer));
        receive.count(length as u64);
        let chunk = buffer.get(..length).unwrap_or_default();
        fault = check_chunk(chunk, bytes, bounds).err();
        bytes = bytes.saturating_add(length as u64);
        if fault.is_none() {
            output.feed(buffer, length);
        }
        match end {
            Some(end) => break end,
            None if fault.is_some() || output.failed() => break discard(source, &mut bytes),
            None => {}
        }
    };
    let (stalled, late) = end_error(end, bounds, path);
    let empty = (bytes == 0).then_some(Error::Empty);
    Moved {
        bytes,
        fault,
        end: late.or(empty),
        stalled,
    }
}

impl Moved {
    /// Adds the outcome of writing. A fault of the archive counts more than a failed write, and that more than the end.
    pub(crate) fn conclude<T>(self, written: Result<T, Error>) -> Drained<T> {
        let Self {
            bytes,
            fault,
            end,
            stalled,
        } = self;
        let outcome = fault
            .map_or(written, Err)
            .and_then(|written| end.map_or(Ok(written), Err));
        Drained {
            bytes,
            outcome,
            stalled,
        }
    }
}

/// The error of a source's end, if it is one, and whether the source stalled.
pub(crate) fn end_error(end: io::Result<()>, bounds: Bounds, path: &Path) -> (bool, Option<Error>) {
    match end {
        Ok(()) => (false, None),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            let patience = bounds.patience;
            (true, Some(Error::TooSlow { patience }))
        }
        Err(error) => (false, Some(Error::io("read", path)(error))),
    }
}

/// Checks the next `chunk` of an archive, of which `bytes` came before.
pub(crate) fn check_chunk(chunk: &[u8], bytes: u64, bounds: Bounds) -> Result<(), Error> {
    if bytes == 0 && !chunk.is_empty() && !begins_like_a_tar(chunk) {
        return Err(Error::NotATar);
    }
    let bytes = bytes.saturating_add(chunk.len() as u64);
    match bounds.max_bytes.filter(|max| bytes > *max) {
        Some(max) => Err(Error::TooLarge { max }),
        None => Ok(()),
    }
}

/// Reads to the end and keeps nothing; adds the number of bytes to `bytes`.
pub(crate) fn discard(source: &mut impl Read, bytes: &mut u64) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok(()),
            length => *bytes = bytes.saturating_add(length as u64),
        }
    }
}

/// Fills a whole buffer, however small the writer's pieces are: the cost must not depend on them. Returns the end, too,
/// where it came.
pub(crate) fn fill(source: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Result<()>>) {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => return (length, Some(Ok(()))),
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (length, Some(Err(error))),
        }
    }
    (length, None)
}

fn begins_like_a_tar(start: &[u8]) -> bool {
    start
        .get(MAGIC_AT..)
        .is_some_and(|rest| rest.starts_with(MAGIC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive_file::{ArchiveFile, Cache};
    use crate::buffer::CHUNK;
    use crate::fifo::Fifo;
    use crate::output::Output;
    use crate::sink::Sink;
    use crate::space::Space;
    use crate::step::{Step, StepFile, Steps};
    use aws_lc_rs::digest::{SHA256, digest};
    use parking_lot::Mutex;
    use proptest::prelude::*;
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::sync::Arc;
    use std::time::Duration;

    const BOUNDS: Bounds = Bounds {
        max_bytes: None,
        patience: Duration::ZERO,
    };

    /// Hands out `data` in pieces of the sizes given, over and over.
    struct Pieces<'a> {
        data: &'a [u8],
        sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.sizes.next().unwrap_or(1).min(buffer.len());
            self.data.read(&mut buffer[..size])
        }
    }

    #[derive(Default, Clone)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Sink for Memory {
        fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
            self.0.lock().extend_from_slice(bytes);
            Ok(())
        }
    }

    /// A disk that is full after so many puts.
    struct FullAfter(u32);

    impl Sink for FullAfter {
        fn put(&mut self, _: &[u8]) -> Result<(), Error> {
            self.0 = self.0.checked_sub(1).ok_or(Error::NoSpace {
                needed: 1,
                free: 0,
                floor: 0,
            })?;
            Ok(())
        }
    }

    fn tar(length: usize) -> Vec<u8> {
        let mut data: Vec<u8> = (0..length)
            .map(|at| u8::try_from(at * at % 251).unwrap())
            .collect();
        data[MAGIC_AT..][..MAGIC.len()].copy_from_slice(MAGIC);
        data
    }

    fn run(source: &mut impl Read, sink: impl Sink + Send + 'static, bounds: Bounds) -> Drained {
        let (steps, path) = (Steps::default(), Path::new("archive"));
        let output = Output::start(sink, path, &steps, StepFile::Archive).unwrap();
        let receive = steps.watch(Step::Receive, StepFile::Archive);
        let moved = drain(source, &output, bounds, path, receive);
        moved.conclude(output.finish().sha256)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_size_of_pieces_changes_nothing(
            length in prop_oneof![512usize..4096, CHUNK - 2..CHUNK + 2, 2 * CHUNK - 1..5 * CHUNK],
            sizes in prop::collection::vec(prop_oneof![500usize..5000, 1usize << 15..1 << 21], 1..20),
        ) {
            let data = tar(length);
            let kept = Memory::default();
            let mut source = Pieces { data: &data, sizes: sizes.into_iter().cycle() };
            let drained = run(&mut source, kept.clone(), BOUNDS);
            prop_assert!(*kept.0.lock() == data);
            prop_assert_eq!(drained.bytes, length as u64);
            prop_assert_eq!(drained.outcome.unwrap(), hex::encode(digest(&SHA256, &data)));
        }
    }

    #[test]
    fn drains_the_writer_after_the_disk_is_full() {
        let data = tar(5 * CHUNK + 7);
        for puts in 0..3 {
            let mut source = data.as_slice();
            let drained = run(&mut source, FullAfter(puts), BOUNDS);
            assert!(source.is_empty());
            assert_eq!(drained.bytes, data.len() as u64);
            assert!(matches!(drained.outcome, Err(Error::NoSpace { .. })));
        }
    }

    #[test]
    fn drains_and_drops_an_archive_over_the_limit() {
        let data = tar(2 * CHUNK);
        let exactly = Bounds {
            max_bytes: Some(data.len() as u64),
            ..BOUNDS
        };
        assert!(
            run(&mut data.as_slice(), Memory::default(), exactly)
                .outcome
                .is_ok()
        );
        let less = Bounds {
            max_bytes: Some(data.len() as u64 - 1),
            ..BOUNDS
        };
        let mut source = data.as_slice();
        assert!(matches!(
            run(&mut source, Memory::default(), less).outcome,
            Err(Error::TooLarge { .. })
        ));
        assert!(source.is_empty());
    }

    #[test]
    fn drains_and_drops_data_that_is_not_a_tar() {
        for data in [
            vec![b'u'; 3 * CHUNK],
            b"{\"error\":1}".to_vec(),
            tar(MAGIC_AT + MAGIC.len())[1..].to_vec(),
        ] {
            let (mut source, kept) = (data.as_slice(), Memory::default());
            let drained = run(&mut source, kept.clone(), BOUNDS);
            assert!(matches!(drained.outcome, Err(Error::NotATar)));
            assert!(source.is_empty() && kept.0.lock().is_empty());
            assert_eq!(drained.bytes, data.len() as u64);
        }
    }

    #[test]
    fn no_bytes_are_no_archive() {
        let drained = run(&mut io::empty(), Memory::default(), BOUNDS);
        assert!(matches!(drained.outcome, Err(Error::Empty)));
        assert!(!drained.stalled);
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
            end.write_all(&tar(8 << 20)).unwrap();
            drop((end, hold));
        });
        let full = File::options().write(true).open("/dev/full").unwrap();
        let space = Arc::new(Space::new(0, || Ok(u64::MAX))).reserve(0).unwrap();
        let sink = ArchiveFile::new(full, "/dev/full".into(), space, Cache::Bypass);
        let drained = run(&mut fifo, sink, BOUNDS);
        writer.join().unwrap();
        assert_eq!(drained.bytes, 8 << 20);
        let error = drained.outcome.unwrap_err();
        assert!(matches!(error, Error::Full { .. }), "{error}");
    }
}
