//! Compresses archives inside the archive again, to whatever length that takes.

use std::io::{BufReader, BufWriter, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Error;
use crate::scratch::Spool;
use crate::sink::Sink;

/// The first two bytes of a gzip member (RFC 1952).
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Compresses its input into scratch storage.
pub(super) struct Packer(GzEncoder<BufWriter<Box<dyn Spool>>>);

impl Packer {
    pub(super) fn new(spool: Box<dyn Spool>) -> Self {
        Self(GzEncoder::new(BufWriter::new(spool), Compression::fast()))
    }

    /// The gzip file and its size in bytes.
    pub(super) fn finish(self) -> Result<(Box<dyn Spool>, u64), Error> {
        let buffered = self.0.finish().map_err(Error::Scratch)?;
        let mut spool = buffered
            .into_inner()
            .map_err(|error| Error::Scratch(error.into_error()))?;
        let size = spool.stream_position().map_err(Error::Scratch)?;
        Ok((spool, size))
    }
}

impl Sink for Packer {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write_all(bytes).map_err(Error::Scratch)
    }
}

/// Copies everything from the beginning of `spool`, which must be `size` bytes.
pub(super) fn copy_spool(
    spool: &mut dyn Spool,
    size: u64,
    out: &mut dyn Sink,
) -> Result<(), Error> {
    spool.rewind().map_err(Error::Scratch)?;
    let mut content = BufReader::with_capacity(1 << 18, spool).take(size);
    super::screen::pieces(&mut content, |bytes| out.put(bytes))?;
    super::inner::whole(content.limit())
}
