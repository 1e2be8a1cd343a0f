use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use crate::Error;
use crate::scratch::Spool;
use crate::sink::Sink;

/// What gzip members begin with (RFC 1952).
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes around the compressed data: the header and the checksum.
const FRAME: u64 = 10 + 8;
// Flags: what follows the header.
const CHECKED: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
/// An empty stored block (RFC 1951, 3.2.4): five bytes that unpack to nothing, and every reader takes any number of them.
const NOTHING: [u8; 5] = [0, 0, 0, 0xff, 0xff];

/// Compresses what is put into it into a private file.
pub(super) struct Packer {
    deflate: DeflateEncoder<BufWriter<Box<dyn Spool>>>,
    crc: Crc,
}

/// Compressed data without its frame.
pub(super) struct Packed {
    file: Box<dyn Spool>,
    bytes: u64,
    crc: u32,
    length: u32,
}

impl Packer {
    pub(super) fn new(file: Box<dyn Spool>, level: Compression) -> Self {
        Self {
            deflate: DeflateEncoder::new(BufWriter::new(file), level),
            crc: Crc::new(),
        }
    }

    pub(super) fn finish(self) -> Result<Packed, Error> {
        let file = self
            .deflate
            .finish()
            .and_then(|file| file.into_inner().map_err(io::IntoInnerError::into_error));
        let mut file = file.map_err(Error::Scratch)?;
        let bytes = file.stream_position().map_err(Error::Scratch)?;
        Ok(Packed::new(file, bytes, &self.crc))
    }
}

impl Sink for Packer {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.crc.update(bytes);
        self.deflate.write_all(bytes).map_err(Error::Scratch)
    }
}

impl Packed {
    pub(super) fn new(file: Box<dyn Spool>, bytes: u64, crc: &Crc) -> Self {
        Self {
            file,
            bytes,
            crc: crc.sum(),
            length: crc.amount(),
        }
    }

    /// The least that a gzip file of it takes, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.bytes + FRAME
    }

    /// Writes a gzip file of exactly `size` bytes; they must be enough.
    pub(super) fn write(mut self, size: u64, out: &mut dyn Sink) -> Result<(), Error> {
        let gap = size.checked_sub(self.size());
        let gap = gap.ok_or_else(|| {
            Error::BrokeArchive(format!(
                "a compressed member grew by {} bytes",
                self.size().saturating_sub(size)
            ))
        })?;
        let blocks = NOTHING.len() as u64;
        out.put(&header(gap % blocks))?;
        fill(gap / blocks, out)?;
        copy_file(&mut *self.file, self.bytes, out)?;
        out.put(&self.crc.to_le_bytes())?;
        out.put(&self.length.to_le_bytes())
    }
}

/// Everything from the beginning of `file`, which must be `size` bytes.
pub(super) fn copy_file(file: &mut dyn Spool, size: u64, out: &mut dyn Sink) -> Result<(), Error> {
    file.rewind().map_err(Error::Scratch)?;
    let mut content = BufReader::with_capacity(1 << 18, file).take(size);
    super::screen::pieces(&mut content, |bytes| out.put(bytes))?;
    super::inner::whole(content.limit())
}

/// Reads over a header (RFC 1952, 2.3); `false` if it is none that we know.
pub(super) fn skip_header(input: &mut impl BufRead) -> io::Result<bool> {
    let mut fixed = [0; 10];
    input.read_exact(&mut fixed)?;
    let [first, second, method, flags, ..] = fixed;
    if [first, second] != MAGIC || method != 8 {
        return Ok(false);
    }
    if flags & EXTRA != 0 {
        let mut length = [0; 2];
        input.read_exact(&mut length)?;
        io::copy(
            &mut input.take(u16::from_le_bytes(length).into()),
            &mut io::sink(),
        )?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            input.skip_until(0)?;
        }
    }
    if flags & CHECKED != 0 {
        input.read_exact(&mut [0; 2])?;
    }
    Ok(true)
}

/// A header that is `more` bytes longer than the shortest.
fn header(more: u64) -> Vec<u8> {
    let [first, second] = MAGIC;
    let flags = if more > 0 { COMMENT } else { 0 };
    // Deflate, no time, no system.
    let mut header = vec![first, second, 8, flags, 0, 0, 0, 0, 0, 255];
    for left in (0..more).rev() {
        header.push(if left == 0 { 0 } else { b' ' });
    }
    header
}

fn fill(mut blocks: u64, out: &mut dyn Sink) -> Result<(), Error> {
    const AT_ONCE: usize = 1 << 12;
    let many = NOTHING.repeat(AT_ONCE);
    while blocks > 0 {
        let now = usize::try_from(blocks).unwrap_or(AT_ONCE).min(AT_ONCE);
        out.put(many.get(..now * NOTHING.len()).unwrap_or_default())?;
        blocks -= now as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Memory(Vec<u8>);

    impl Sink for Memory {
        fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }

    #[test]
    fn a_gzip_file_has_exactly_the_length_that_is_asked_for() {
        let text = b"the quick brown fox".repeat(100);
        for more in (0..12).chain([4096, 50_001, 1 << 20]) {
            let mut deflater =
                Packer::new(Box::new(tempfile::tempfile().unwrap()), Compression::best());
            deflater.put(&text).unwrap();
            let packed = deflater.finish().unwrap();
            let (size, mut out) = (packed.size() + more, Memory(Vec::new()));
            packed.write(size, &mut out).unwrap();
            assert_eq!(out.0.len() as u64, size);
            let mut read = Vec::new();
            flate2::read::MultiGzDecoder::new(out.0.as_slice())
                .read_to_end(&mut read)
                .unwrap();
            assert!(read == text);
        }
    }

    #[test]
    fn too_little_room_is_an_error() {
        let packed = Packer::new(Box::new(tempfile::tempfile().unwrap()), Compression::best())
            .finish()
            .unwrap();
        let size = packed.size() - 1;
        assert!(matches!(
            packed.write(size, &mut Memory(Vec::new())),
            Err(Error::BrokeArchive(_))
        ));
    }
}
