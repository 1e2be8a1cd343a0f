//! Writes into scratch storage, as it is or compressed.

use std::cell::RefCell;
use std::io::{self, BufReader, Cursor, Read, Seek, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use ruzstd::encoding::{CompressionLevel, compress};

use crate::Error;
use crate::scratch::{Scratch, Spool};
use crate::sink::Sink;
use crate::stream::{ensure_complete, read_pieces};

/// Bytes that are kept in memory: to make a file for each of many small contents would cost more than to search them.
const IN_MEMORY: usize = 1 << 19;
/// Bytes that are written at once.
const BUFFER: usize = 1 << 17;
/// Inputs up to so many bytes are not compressed, unless their length matters: an encoder costs more than they do.
const SMALL: usize = 16 << 10;
/// A gzip header without name: deflate, no flags, no time, an unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
const GZIP_FLAGS: usize = 3;
const GZIP_NAME: u8 = 8;

/// Scratch storage that all writers of a pass share.
pub(super) trait Storage {
    fn create(&self) -> io::Result<Box<dyn Spool>>;
}

/// The caller's scratch storage, shared.
pub(super) struct Shared<'s>(RefCell<&'s mut dyn Scratch>);

/// Stores its input as it is.
pub(super) struct SpoolWriter<'s>(Buffered<'s>);

/// Stores its input compressed with gzip.
pub(super) struct GzipWriter<'s> {
    deflate: DeflateWriter<'s>,
    sum: Crc,
}

/// Stores its input compressed with deflate.
pub(super) struct DeflateWriter<'s> {
    storage: &'s dyn Storage,
    packing: Packing,
    /// The input, as long as it is small.
    held: Vec<u8>,
    encoder: Option<DeflateEncoder<Buffered<'s>>>,
}

/// Keeps bytes in memory, and once there are many, in scratch storage.
struct Buffered<'s> {
    storage: &'s dyn Storage,
    held: Vec<u8>,
    spool: Option<Box<dyn Spool>>,
}

/// How hard compression tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Fast, and not at all where there is little to compress: the length does not matter.
    Loose,
    Fast,
    Usual,
    Smallest,
}

/// Bytes that were stored.
pub(super) struct Stored {
    pub(super) spool: Box<dyn Spool>,
    /// The number of all bytes.
    pub(super) size: u64,
    /// Stands before the storage.
    pub(super) front: Vec<u8>,
    /// Follows the storage.
    pub(super) tail: Vec<u8>,
    /// Zeros that follow the tail.
    pub(super) zeros: u64,
}

impl<'s> Shared<'s> {
    pub(super) fn new(scratch: &'s mut dyn Scratch) -> Self {
        Self(RefCell::new(scratch))
    }
}

impl Storage for Shared<'_> {
    fn create(&self) -> io::Result<Box<dyn Spool>> {
        self.0.try_borrow_mut().map_err(io::Error::other)?.create()
    }
}

impl<'s> SpoolWriter<'s> {
    pub(super) fn new(storage: &'s dyn Storage) -> Self {
        Self(Buffered::new(storage))
    }

    pub(super) fn finish(self) -> Result<Stored, Error> {
        Stored::new(self.0)
    }
}

impl<'s> GzipWriter<'s> {
    pub(super) fn new(storage: &'s dyn Storage, packing: Packing) -> Self {
        Self {
            deflate: DeflateWriter::new(storage, packing),
            sum: Crc::new(),
        }
    }

    /// Ends the stream, whose header has `name`.
    pub(super) fn finish(self, name: Option<&[u8]>) -> Result<Stored, Error> {
        let mut stored = self.deflate.finish()?;
        stored.front = GZIP_HEADER.to_vec();
        if let (Some(name), Some(flags)) = (name, stored.front.get_mut(GZIP_FLAGS)) {
            *flags |= GZIP_NAME;
            stored.front.extend(name);
            stored.front.push(0);
        }
        stored.tail.extend(self.sum.sum().to_le_bytes());
        stored.tail.extend(self.sum.amount().to_le_bytes());
        stored.size += (stored.front.len() + stored.tail.len()) as u64;
        Ok(stored)
    }
}

impl<'s> DeflateWriter<'s> {
    pub(super) fn new(storage: &'s dyn Storage, packing: Packing) -> Self {
        Self {
            storage,
            packing,
            held: Vec::new(),
            encoder: None,
        }
    }

    pub(super) fn finish(self) -> Result<Stored, Error> {
        if let Some(encoder) = self.encoder {
            return Stored::new(encoder.finish().map_err(Error::Scratch)?);
        }
        // One block that is stored, and the last (RFC 1951).
        let length = u16::try_from(self.held.len()).map_err(io::Error::other);
        let length = length.map_err(Error::Scratch)?;
        let mut out = SpoolWriter::new(self.storage);
        out.put(&[1])?;
        out.put(&length.to_le_bytes())?;
        out.put(&(!length).to_le_bytes())?;
        out.put(&self.held)?;
        out.finish()
    }
}

impl Packing {
    fn level(self) -> Compression {
        match self {
            Self::Loose | Self::Fast => Compression::fast(),
            Self::Usual => Compression::default(),
            Self::Smallest => Compression::best(),
        }
    }
}

/// Compresses `plain` with Zstandard.
pub(super) fn zstd(mut plain: Stored, storage: &dyn Storage) -> Result<Stored, Error> {
    plain.spool.rewind().map_err(Error::Scratch)?;
    let mut source = Quiet::new(BufReader::with_capacity(BUFFER, plain.spool));
    let mut drain = Quiet::new(Buffered::new(storage));
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
    fn new(buffered: Buffered<'_>) -> Result<Self, Error> {
        let (spool, size) = buffered.finish().map_err(Error::Scratch)?;
        Ok(Self {
            spool,
            size,
            front: Vec::new(),
            tail: Vec::new(),
            zeros: 0,
        })
    }

    /// Copies all of it to `out`.
    pub(super) fn write_to(mut self, out: &mut dyn Sink) -> Result<(), Error> {
        out.put(&self.front)?;
        self.spool.rewind().map_err(Error::Scratch)?;
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

impl<'s> Buffered<'s> {
    fn new(storage: &'s dyn Storage) -> Self {
        Self {
            storage,
            held: Vec::new(),
            spool: None,
        }
    }

    /// What was written, and its size in bytes.
    fn finish(mut self) -> io::Result<(Box<dyn Spool>, u64)> {
        let Some(mut spool) = self.spool.take() else {
            let size = self.held.len() as u64;
            return Ok((Box::new(Cursor::new(self.held)), size));
        };
        spool.write_all(&self.held)?;
        let size = spool.stream_position()?;
        Ok((spool, size))
    }
}

impl Write for Buffered<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = if self.spool.is_some() {
            BUFFER
        } else {
            IN_MEMORY
        };
        if self.held.len().saturating_add(bytes.len()) > most {
            let spool = match &mut self.spool {
                Some(spool) => spool,
                none => none.insert(self.storage.create()?),
            };
            spool.write_all(&self.held)?;
            self.held.clear();
            self.held.shrink_to(BUFFER);
            if bytes.len() > BUFFER {
                spool.write_all(bytes)?;
                return Ok(bytes.len());
            }
        }
        self.held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// What is held stays held: there is nobody who reads it before the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for SpoolWriter<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write_all(bytes).map_err(Error::Scratch)
    }
}

impl Sink for GzipWriter<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.sum.update(bytes);
        self.deflate.put(bytes)
    }
}

impl Sink for DeflateWriter<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let is_small = self.packing == Packing::Loose && self.held.len() + bytes.len() <= SMALL;
        if self.encoder.is_none() && is_small {
            self.held.extend_from_slice(bytes);
            return Ok(());
        }
        let (storage, level) = (self.storage, self.packing.level());
        let encoder = self
            .encoder
            .get_or_insert_with(|| DeflateEncoder::new(Buffered::new(storage), level));
        let held = std::mem::take(&mut self.held);
        encoder
            .write_all(&held)
            .and_then(|()| encoder.write_all(bytes))
            .map_err(Error::Scratch)
    }
}
