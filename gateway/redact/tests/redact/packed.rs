//! Packs and unpacks in formats that the redactor reads, with nothing of its code.

use std::io::{Cursor, Read, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use crate::specimen::{gunzip, gzip, read_tar, tar};

/// A format around contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
    ZipStored,
    ZipDeflated,
    /// With sizes behind the contents.
    ZipStreamed,
    /// With sizes of eight bytes.
    Zip64,
    Tar,
    Xz,
    Lz4,
}

pub(crate) const WRITABLE: [Packing; 7] = [
    Packing::Gzip,
    Packing::Zstd,
    Packing::ZipStored,
    Packing::ZipDeflated,
    Packing::ZipStreamed,
    Packing::Zip64,
    Packing::Tar,
];

pub(crate) fn pack(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    match packing {
        Packing::Gzip => gzip(bytes, 6),
        Packing::Zstd => zstd(bytes),
        Packing::Tar => tar(&[("inner/file".to_owned(), bytes.to_vec())]),
        Packing::Xz => xz(bytes),
        Packing::Lz4 => lz4(bytes),
        zip => Zip::new(zip).with("inner/file", bytes).finish(b""),
    }
}

/// The contents of what [`pack`] makes.
pub(crate) fn unpack(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    match packing {
        Packing::Gzip => gunzip(bytes),
        Packing::Zstd => {
            let mut plain = Vec::new();
            let mut decoder = ruzstd::decoding::StreamingDecoder::new(bytes).unwrap();
            decoder.read_to_end(&mut plain).unwrap();
            plain
        }
        Packing::Tar => read_tar(bytes)[0].1.clone(),
        Packing::Xz | Packing::Lz4 => Vec::new(),
        _ => unzip(bytes)[0].1.clone(),
    }
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::default();
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// A frame of one stored block, and one of a packed block.
pub(crate) fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![4, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73];
    let (stored, packed) = bytes.split_at(bytes.len() / 2);
    frame.extend((u32::try_from(stored.len()).unwrap() | 1 << 31).to_le_bytes());
    frame.extend(stored);
    let packed = lz4_flex::compress(packed);
    frame.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
    frame.extend(packed);
    frame.extend([0; 4]);
    frame
}

/// A zip archive that is being written.
pub(crate) struct Zip {
    kind: Packing,
    archive: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
    pub(crate) flags: u16,
    pub(crate) method: Option<u16>,
}

impl Zip {
    pub(crate) fn new(kind: Packing) -> Self {
        Self {
            kind,
            archive: Vec::new(),
            directory: Vec::new(),
            count: 0,
            flags: 0,
            method: None,
        }
    }

    pub(crate) fn with(mut self, name: &str, bytes: &[u8]) -> Self {
        let at = u32::try_from(self.archive.len()).unwrap();
        let stored = matches!(self.kind, Packing::ZipStored);
        let packed = if stored {
            bytes.to_vec()
        } else {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let mut sum = Crc::new();
        sum.update(bytes);
        let (small, size) = (packed.len() as u64, bytes.len() as u64);
        let streamed = self.kind == Packing::ZipStreamed;
        let wide = self.kind == Packing::Zip64;
        let flags = self.flags | if streamed { 8 } else { 0 };
        let method = self.method.unwrap_or(if stored { 0 } else { 8 });
        let head = [20u16, flags, method, 0x6000, 0x5b7b]
            .map(u16::to_le_bytes)
            .concat();
        let sizes = |shown: bool| {
            let narrow = |number: u64| u32::try_from(number).unwrap();
            let sizes = match shown {
                _ if wide => [sum.sum(), u32::MAX, u32::MAX],
                true => [sum.sum(), narrow(small), narrow(size)],
                false => [0; 3],
            };
            sizes.map(u32::to_le_bytes).concat()
        };
        let mut extra = Vec::new();
        if wide {
            extra.extend([1u16, 16].map(u16::to_le_bytes).concat());
            extra.extend([size, small].map(u64::to_le_bytes).concat());
        }
        let lengths =
            [name.len(), extra.len()].map(|length| u16::try_from(length).unwrap().to_le_bytes());
        self.archive.extend(b"PK\x03\x04");
        self.archive.extend(&head);
        self.archive.extend(sizes(!streamed));
        self.archive.extend(lengths.concat());
        self.archive.extend(name.as_bytes());
        self.archive.extend(&extra);
        self.archive.extend(packed);
        if streamed {
            self.archive.extend(b"PK\x07\x08");
            self.archive.extend(sizes(true));
        }
        self.directory.extend(b"PK\x01\x02\x14\x03");
        self.directory.extend(&head);
        self.directory.extend(sizes(true));
        self.directory.extend(lengths.concat());
        // No comment, the first disk, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(at.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.directory.extend(&extra);
        self.count += 1;
        self
    }

    pub(crate) fn finish(mut self, comment: &[u8]) -> Vec<u8> {
        let at = u32::try_from(self.archive.len()).unwrap();
        let size = u32::try_from(self.directory.len()).unwrap();
        self.archive.extend(&self.directory);
        self.archive.extend(b"PK\x05\x06\0\0\0\0");
        self.archive
            .extend([self.count, self.count].map(u16::to_le_bytes).concat());
        self.archive
            .extend([size, at].map(u32::to_le_bytes).concat());
        self.archive
            .extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
        self.archive.extend(comment);
        self.archive
    }
}

/// The members of a zip archive, read from its central directory; sums and local headers must fit.
pub(crate) fn unzip(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize, length: usize| -> usize {
        let bytes = &archive[at..at + length];
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let end = archive
        .windows(4)
        .rposition(|window| window == b"PK\x05\x06")
        .unwrap();
    assert_eq!(end + 22 + number(end + 20, 2), archive.len());
    let (mut at, count) = (number(end + 16, 4), number(end + 10, 2));
    let mut members = Vec::new();
    for _ in 0..count {
        assert_eq!(&archive[at..at + 4], b"PK\x01\x02");
        let (method, sum) = (number(at + 10, 2), number(at + 16, 4));
        let (mut packed, mut size) = (number(at + 20, 4), number(at + 24, 4));
        let (name, extra, comment) = (number(at + 28, 2), number(at + 30, 2), number(at + 32, 2));
        if size == 0xffff_ffff {
            (size, packed) = (number(at + 50 + name, 8), number(at + 58 + name, 8));
        }
        let local = number(at + 42, 4);
        assert_eq!(&archive[local..local + 4], b"PK\x03\x04");
        assert_eq!(number(local + 6, 2), number(at + 8, 2), "flags");
        let from = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let bytes = &archive[from..from + packed];
        let mut plain = Vec::new();
        match method {
            0 => plain.extend(bytes),
            8 => {
                let mut decoder = flate2::read::DeflateDecoder::new(Cursor::new(bytes));
                decoder.read_to_end(&mut plain).unwrap();
            }
            other => assert_eq!(other, 8, "the method"),
        }
        let mut found = Crc::new();
        found.update(&plain);
        assert_eq!((plain.len(), found.sum() as usize), (size, sum));
        let text = archive[at + 46..at + 46 + name].to_vec();
        members.push((String::from_utf8(text).unwrap(), plain));
        at += 46 + name + extra + comment;
    }
    members
}
