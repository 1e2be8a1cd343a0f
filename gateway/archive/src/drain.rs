use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use crate::Error;
use crate::hasher::Hasher;
use crate::sink::Sink;

/// Where the first header of a tar archive has its magic (POSIX.1-1988 and, with another sixth byte, GNU).
const MAGIC_AT: usize = 257;
const MAGIC: &[u8] = b"ustar";

/// What came out of a source.
#[derive(Debug)]
pub(crate) struct Drained {
    /// All bytes that came, kept or not.
    pub(crate) bytes: u64,
    /// The SHA-256 in hex, or why the archive cannot be kept.
    pub(crate) sha256: Result<String, Error>,
    /// Whether a writer was left that neither went on nor finished.
    pub(crate) silent: bool,
}

/// What bounds a drain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The largest archive that is kept.
    pub(crate) max_bytes: Option<u64>,
    /// What the source waits for its writer; only named in the error.
    pub(crate) patience: Duration,
}

/// Moves everything from `source` (at `path`) to `sink`. Reads to the end whatever happens: the runtime holds the FIFO
/// open for reading too, so it would block for ever if we stopped. After a fault, what comes is thrown away.
pub(crate) fn drain(
    source: &mut impl Read,
    sink: &mut impl Sink,
    hasher: Hasher,
    bounds: Bounds,
    path: &Path,
) -> Drained {
    let mut bytes = 0u64;
    let mut fault = None;
    let end = loop {
        let mut buffer = hasher.buffer();
        let (length, end) = fill(source, &mut buffer);
        let first = bytes == 0;
        bytes = bytes.saturating_add(length as u64);
        match keep(
            buffer.get(..length).unwrap_or_default(),
            first,
            bytes,
            bounds,
            sink,
        ) {
            Ok(()) => hasher.feed(buffer, length),
            Err(error) => fault = Some(error),
        }
        match end {
            Some(end) => break end,
            None if fault.is_some() => break throw_away(source, &mut bytes),
            None => {}
        }
    };
    let silent = end
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
    let late = end.err().map(|error| match error.kind() {
        io::ErrorKind::TimedOut => Error::TooSlow {
            patience: bounds.patience,
        },
        _ => Error::io("read", path)(error),
    });
    let empty = (bytes == 0).then_some(Error::Empty);
    let sha256 = fault
        .or(late)
        .or(empty)
        .map_or_else(|| hasher.finish(), Err);
    Drained {
        bytes,
        sha256,
        silent,
    }
}

/// Reads to the end and keeps nothing.
pub(crate) fn throw_away(source: &mut impl Read, bytes: &mut u64) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok(()),
            length => *bytes = bytes.saturating_add(length as u64),
        }
    }
}

fn keep(
    chunk: &[u8],
    first: bool,
    bytes: u64,
    bounds: Bounds,
    sink: &mut impl Sink,
) -> Result<(), Error> {
    if first && !chunk.is_empty() && !begins_like_a_tar(chunk) {
        return Err(Error::NotATar);
    }
    if let Some(max) = bounds.max_bytes.filter(|max| bytes > *max) {
        return Err(Error::TooLarge { max });
    }
    sink.put(chunk)
}

/// Whole buffers, whatever pieces the writer sends: the archive's cost must not depend on them. With the end, where it
/// came.
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

pub(crate) fn begins_like_a_tar(start: &[u8]) -> bool {
    start
        .get(MAGIC_AT..)
        .is_some_and(|rest| rest.starts_with(MAGIC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hasher::{CHUNK, hex};
    use aws_lc_rs::digest::{SHA256, digest};
    use proptest::prelude::*;

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

    #[derive(Default)]
    struct Memory(Vec<u8>);

    impl Sink for Memory {
        fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
            self.0.extend_from_slice(bytes);
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

    fn run(source: &mut impl Read, sink: &mut impl Sink, bounds: Bounds) -> Drained {
        drain(
            source,
            sink,
            Hasher::start().unwrap(),
            bounds,
            Path::new("archive"),
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_the_pieces_the_bytes_and_their_digest_are_the_same(
            length in prop_oneof![512usize..4096, CHUNK - 2..CHUNK + 2, 2 * CHUNK - 1..5 * CHUNK],
            sizes in prop::collection::vec(prop_oneof![500usize..5000, 1usize << 15..1 << 21], 1..20),
        ) {
            let data = tar(length);
            let mut kept = Memory::default();
            let mut source = Pieces { data: &data, sizes: sizes.into_iter().cycle() };
            let drained = run(&mut source, &mut kept, BOUNDS);
            prop_assert!(kept.0 == data);
            prop_assert_eq!(drained.bytes, length as u64);
            prop_assert_eq!(drained.sha256.unwrap(), hex(digest(&SHA256, &data).as_ref()));
        }
    }

    #[test]
    fn a_writer_is_drained_to_its_end_after_the_disk_is_full() {
        let data = tar(5 * CHUNK + 7);
        for puts in 0..3 {
            let mut source = data.as_slice();
            let drained = run(&mut source, &mut FullAfter(puts), BOUNDS);
            assert!(source.is_empty());
            assert_eq!(drained.bytes, data.len() as u64);
            assert!(matches!(drained.sha256, Err(Error::NoSpace { .. })));
        }
    }

    #[test]
    fn an_archive_over_the_limit_is_drained_and_not_kept() {
        let data = tar(2 * CHUNK);
        let exactly = Bounds {
            max_bytes: Some(data.len() as u64),
            ..BOUNDS
        };
        assert!(
            run(&mut data.as_slice(), &mut Memory::default(), exactly)
                .sha256
                .is_ok()
        );
        let less = Bounds {
            max_bytes: Some(data.len() as u64 - 1),
            ..BOUNDS
        };
        let mut source = data.as_slice();
        assert!(matches!(
            run(&mut source, &mut Memory::default(), less).sha256,
            Err(Error::TooLarge { .. })
        ));
        assert!(source.is_empty());
    }

    #[test]
    fn what_does_not_begin_like_a_tar_is_drained_and_not_kept() {
        for data in [
            vec![b'u'; 3 * CHUNK],
            b"{\"error\":1}".to_vec(),
            tar(MAGIC_AT + MAGIC.len())[1..].to_vec(),
        ] {
            let (mut source, mut kept) = (data.as_slice(), Memory::default());
            let drained = run(&mut source, &mut kept, BOUNDS);
            assert!(matches!(drained.sha256, Err(Error::NotATar)));
            assert!(source.is_empty() && kept.0.is_empty());
            assert_eq!(drained.bytes, data.len() as u64);
        }
    }

    #[test]
    fn nothing_at_all_is_no_archive() {
        let drained = run(&mut io::empty(), &mut Memory::default(), BOUNDS);
        assert!(matches!(drained.sha256, Err(Error::Empty)));
        assert!(!drained.silent);
    }
}
