//! Writes into scratch storage, as it is or compressed.

use std::io::{self, BufReader, BufWriter, IntoInnerError, Read, Seek, SeekFrom, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress};

use crate::Error;
use crate::scratch::{Scratch, Spool};
use crate::sink::Sink;
use crate::stream::{ensure_complete, read_pieces};

/// Bytes that are written at once.
const BUFFER: usize = 1 << 17;
/// Bytes of a gzip header without name.
const GZIP_HEADER: usize = 10;
const GZIP_FLAGS: usize = 3;
const GZIP_NAME: u8 = 8;

type Buffered = BufWriter<Box<dyn Spool>>;

/// Stores its input as it is.
pub(super) struct SpoolWriter(Buffered);

/// Stores its input compressed with gzip.
pub(super) struct GzipWriter(GzEncoder<Buffered>);

/// Stores its input compressed with deflate.
pub(super) struct DeflateWriter(DeflateEncoder<Buffered>);

/// How hard compression tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Fast,
    Usual,
    Smallest,
}

/// Bytes that were stored.
pub(super) struct Stored {
    pub(super) spool: Box<dyn Spool>,
    /// The number of all bytes.
    pub(super) size: u64,
    /// Replaces the first bytes of the storage, of which there are `skip`.
    pub(super) front: Vec<u8>,
    skip: u64,
    /// Follows the storage.
    pub(super) tail: Vec<u8>,
    /// Zeros that follow the tail.
    pub(super) zeros: u64,
}

impl SpoolWriter {
    pub(super) fn new(scratch: &mut dyn Scratch) -> Result<Self, Error> {
        Ok(Self(buffered(scratch)?))
    }

    pub(super) fn finish(self) -> Result<Stored, Error> {
        Stored::new(self.0)
    }
}

impl GzipWriter {
    pub(super) fn new(scratch: &mut dyn Scratch, packing: Packing) -> Result<Self, Error> {
        let encoder = GzEncoder::new(buffered(scratch)?, packing.level());
        Ok(Self(encoder))
    }

    /// Ends the stream, whose header has `name`.
    pub(super) fn finish(self, name: Option<&[u8]>) -> Result<Stored, Error> {
        let mut stored = Stored::new(self.0.finish().map_err(Error::Scratch)?)?;
        let mut front = vec![0; GZIP_HEADER];
        stored
            .spool
            .rewind()
            .and_then(|()| stored.spool.read_exact(&mut front))
            .map_err(Error::Scratch)?;
        stored.skip = GZIP_HEADER as u64;
        if let (Some(name), Some(flags)) = (name, front.get_mut(GZIP_FLAGS)) {
            *flags |= GZIP_NAME;
            front.extend(name);
            front.push(0);
        }
        stored.size += (front.len() - GZIP_HEADER) as u64;
        stored.front = front;
        Ok(stored)
    }
}

impl DeflateWriter {
    pub(super) fn new(scratch: &mut dyn Scratch, packing: Packing) -> Result<Self, Error> {
        let encoder = DeflateEncoder::new(buffered(scratch)?, packing.level());
        Ok(Self(encoder))
    }

    pub(super) fn finish(self) -> Result<Stored, Error> {
        Stored::new(self.0.finish().map_err(Error::Scratch)?)
    }
}

impl Packing {
    fn level(self) -> Compression {
        match self {
            Self::Fast => Compression::fast(),
            Self::Usual => Compression::default(),
            Self::Smallest => Compression::best(),
        }
    }
}

/// Compresses `plain` with Zstandard.
pub(super) fn zstd(mut plain: Stored, scratch: &mut dyn Scratch) -> Result<Stored, Error> {
    plain.spool.rewind().map_err(Error::Scratch)?;
    let mut source = Quiet::new(BufReader::with_capacity(BUFFER, plain.spool));
    let mut drain = Quiet::new(buffered(scratch)?);
    compress(&mut source, &mut drain, CompressionLevel::Fastest);
    match source.failure.or(drain.failure) {
        Some(failure) => Err(Error::Scratch(failure)),
        None => Stored::new(drain.inner),
    }
}

/// Keeps the first error to itself: the encoder of Zstandard panics on errors.
struct Quiet<T> {
    inner: T,
    failure: Option<io::Error>,
}

impl<T> Quiet<T> {
    fn new(inner: T) -> Self {
        Self {
            inner,
            failure: None,
        }
    }

    /// `otherwise` on an error, and from then on.
    fn keep(&mut self, otherwise: usize, result: io::Result<usize>) -> usize {
        result.unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            otherwise
        })
    }
}

impl<T: Read> Read for Quiet<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failure.is_some() {
            return Ok(0);
        }
        let result = self.inner.read(buffer);
        Ok(self.keep(0, result))
    }
}

impl<T: Write> Write for Quiet<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failure.is_some() {
            return Ok(bytes.len());
        }
        let result = self.inner.write_all(bytes).map(|()| bytes.len());
        Ok(self.keep(bytes.len(), result))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stored {
    fn new(buffered: Buffered) -> Result<Self, Error> {
        let unbuffered = buffered.into_inner().map_err(IntoInnerError::into_error);
        let mut spool = unbuffered.map_err(Error::Scratch)?;
        let size = spool.stream_position().map_err(Error::Scratch)?;
        Ok(Self {
            spool,
            size,
            front: Vec::new(),
            skip: 0,
            tail: Vec::new(),
            zeros: 0,
        })
    }

    /// Copies all of it to `out`.
    pub(super) fn write_to(mut self, out: &mut dyn Sink) -> Result<(), Error> {
        out.put(&self.front)?;
        self.spool
            .seek(SeekFrom::Start(self.skip))
            .map_err(Error::Scratch)?;
        let around = (self.front.len() + self.tail.len()) as u64;
        let stored = self.size.saturating_sub(around.saturating_add(self.zeros));
        let mut content = BufReader::with_capacity(1 << 18, self.spool).take(stored);
        read_pieces(&mut content, |bytes| out.put(bytes))?;
        ensure_complete(content.limit())?;
        out.put(&self.tail)?;
        let mut zeros = io::repeat(0).take(self.zeros);
        read_pieces(&mut BufReader::new(&mut zeros), |bytes| out.put(bytes))
    }
}

impl Sink for SpoolWriter {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write_all(bytes).map_err(Error::Scratch)
    }
}

impl Sink for GzipWriter {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write_all(bytes).map_err(Error::Scratch)
    }
}

impl Sink for DeflateWriter {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write_all(bytes).map_err(Error::Scratch)
    }
}

fn buffered(scratch: &mut dyn Scratch) -> Result<Buffered, Error> {
    let spool = scratch.create().map_err(Error::Scratch)?;
    Ok(BufWriter::with_capacity(BUFFER, spool))
}
