//! Writes into scratch storage, as it is or with gzip.

use std::io::{BufReader, BufWriter, IntoInnerError, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Error;
use crate::scratch::{Scratch, Spool};
use crate::sink::Sink;
use crate::stream::{ensure_complete, read_pieces};

/// Bytes that are written at once.
const BUFFER: usize = 1 << 17;

type Buffered = BufWriter<Box<dyn Spool>>;

/// Stores its input as it is.
pub(super) struct SpoolWriter(Buffered);

/// Stores its input compressed.
pub(super) struct GzipWriter(GzEncoder<Buffered>);

/// Bytes that were stored.
pub(super) struct Stored {
    pub(super) spool: Box<dyn Spool>,
    /// The number of bytes.
    pub(super) size: u64,
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
    pub(super) fn new(scratch: &mut dyn Scratch) -> Result<Self, Error> {
        let encoder = GzEncoder::new(buffered(scratch)?, Compression::fast());
        Ok(Self(encoder))
    }

    pub(super) fn finish(self) -> Result<Stored, Error> {
        Stored::new(self.0.finish().map_err(Error::Scratch)?)
    }
}

impl Stored {
    fn new(buffered: Buffered) -> Result<Self, Error> {
        let unbuffered = buffered.into_inner().map_err(IntoInnerError::into_error);
        let mut spool = unbuffered.map_err(Error::Scratch)?;
        let size = spool.stream_position().map_err(Error::Scratch)?;
        Ok(Self { spool, size })
    }

    /// Copies all of it to `out`.
    pub(super) fn write_to(mut self, out: &mut dyn Sink) -> Result<(), Error> {
        self.spool.rewind().map_err(Error::Scratch)?;
        let mut content = BufReader::with_capacity(1 << 18, self.spool).take(self.size);
        read_pieces(&mut content, |bytes| out.put(bytes))?;
        ensure_complete(content.limit())
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

fn buffered(scratch: &mut dyn Scratch) -> Result<Buffered, Error> {
    let spool = scratch.create().map_err(Error::Scratch)?;
    Ok(BufWriter::with_capacity(BUFFER, spool))
}
