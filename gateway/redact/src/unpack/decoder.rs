//! A decoder of any format that is a stream.

use std::io::{self, Read};

use super::bzip2::Bzip2Reader;
use super::density::Parts;
use super::format::Format;
use super::gzip::GzipReader;
use super::lz4::Lz4Reader;
use super::source::Source;
use super::texts::Texts;
use super::xz::XzReader;
use super::zstd::ZstdReader;

/// Unpacks one stream of contents.
pub(crate) struct Decoder<'a>(Inner<'a>);

enum Inner<'a> {
    Gzip(Box<GzipReader<'a>>),
    Zstd(Box<ZstdReader<'a>>),
    Xz(Box<XzReader<'a>>),
    Bzip2(Box<Bzip2Reader<'a>>),
    Lz4(Box<Lz4Reader<'a>>),
}

impl<'a> Decoder<'a> {
    /// A decoder of `format` for windows of up to `window` bytes; `None` for a format that is not a stream.
    pub(crate) fn new(
        format: Format,
        source: Source<'a>,
        window: u64,
        parts: &'a Parts,
    ) -> Option<Self> {
        Some(Self(match format {
            Format::Gzip => Inner::Gzip(Box::new(GzipReader::new(source, parts))),
            Format::Zstd => Inner::Zstd(Box::new(ZstdReader::new(source, window, parts))),
            Format::Xz => Inner::Xz(Box::new(XzReader::new(source, window))),
            Format::Bzip2 => Inner::Bzip2(Box::new(Bzip2Reader::new(source, parts))),
            Format::Lz4 => Inner::Lz4(Box::new(Lz4Reader::new(source, parts))),
            Format::Tar | Format::Zip | Format::Encrypted | Format::Unknown => return None,
        }))
    }

    /// Texts beside the contents that were read so far.
    pub(crate) fn texts(&self) -> Option<&Texts> {
        match &self.0 {
            Inner::Gzip(reader) => Some(&reader.texts),
            Inner::Zstd(reader) => Some(&reader.texts),
            Inner::Lz4(reader) => Some(&reader.texts),
            Inner::Xz(_) | Inner::Bzip2(_) => None,
        }
    }

    /// The file's name, as gzip has it.
    pub(crate) fn name(&self) -> Option<&[u8]> {
        match &self.0 {
            Inner::Gzip(reader) => reader.name.as_deref(),
            _ => None,
        }
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Gzip(reader) => reader.read(buffer),
            Inner::Zstd(reader) => reader.read(buffer),
            Inner::Xz(reader) => reader.read(buffer),
            Inner::Bzip2(reader) => reader.read(buffer),
            Inner::Lz4(reader) => reader.read(buffer),
        }
    }
}
