//! Compressed contents, by hand: what no packer would write.

use std::io::Write;

use flate2::{Compression, Crc};

/// A gzip file around raw deflate.
fn gzip_around(deflated: &[u8], contents: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(contents);
    let mut all = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
    all.extend(deflated);
    all.extend(sum.sum().to_le_bytes());
    all.extend(sum.amount().to_le_bytes());
    all
}

pub(crate) fn named_gzip(length: usize) -> Vec<u8> {
    let mut all = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03".to_vec();
    all.resize(all.len() + length, b'n');
    all.push(0);
    all.extend(b"\x03\0\0\0\0\0\0\0\0\0");
    all
}

pub(crate) fn stored_blocks(count: usize) -> Vec<u8> {
    let mut deflated = b"\0\0\0\xff\xff".repeat(count);
    deflated.extend(b"\x01\0\0\xff\xff");
    gzip_around(&deflated, b"")
}

/// Blocks that each bring codes of their own, for so many bytes.
pub(crate) fn dynamic_blocks(count: usize, bytes: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    for at in 0..count {
        bits.put(u64::from(at + 1 == count), 1);
        bits.put(2, 2);
        // 257 lengths of literals, one of distances, 18 of lengths: a code each for 1 and for 18, which repeats zeros.
        bits.put(0, 5);
        bits.put(0, 5);
        bits.put(14, 4);
        for of in 0..18 {
            bits.put(u64::from(of == 2 || of == 17), 3);
        }
        // Literal 0 and the end have one bit each.
        bits.put(0, 1);
        for zeros in [138, 117] {
            bits.put(1, 1);
            bits.put(zeros - 11, 7);
        }
        bits.put(0, 2);
        bits.put(0, u32::try_from(bytes).unwrap_or_default());
        bits.put(1, 1);
    }
    gzip_around(&bits.finish(), &zeros_of(count * bytes))
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u64, count: u32) {
        self.held |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push((self.held & 0xff) as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.put(0, 7);
        self.bytes
    }
}

/// A Zstandard frame for a window, with so many blocks that repeat a byte so often.
pub(crate) fn zstd_frame(window: u8, blocks: usize, length: u32) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, window];
    for _ in 0..blocks {
        frame.extend((length << 3 | 2).to_le_bytes().into_iter().take(3));
        frame.push(b'x');
    }
    frame.extend([1, 0, 0]);
    frame
}

pub(crate) fn zstd_zeros(mib: usize) -> Vec<u8> {
    zstd_frame(0x58, mib * 8, 128 << 10)
}

/// An LZ4 frame with so many stored blocks of a byte. `sizes` says how large a block may be.
pub(crate) fn lz4_frame(sizes: u8, blocks: usize) -> Vec<u8> {
    let mut frame = vec![4, 0x22, 0x4d, 0x18, 0x40, sizes, 0];
    for _ in 0..blocks {
        frame.extend(b"\x01\0\0\x80x");
    }
    frame.extend([0; 4]);
    frame
}

/// Blocks that depend on one another.
pub(crate) fn lz4_blocks(count: usize, length: u32) -> Vec<u8> {
    let mut frame = vec![4, 0x22, 0x4d, 0x18, 0x40, 0x40, 0];
    for _ in 0..count {
        frame.extend((length | 1 << 31).to_le_bytes());
        frame.resize(frame.len() + length as usize, b'x');
    }
    frame.extend([0; 4]);
    frame
}

pub(crate) fn zip(count: usize, contents: &[u8]) -> Vec<u8> {
    zip_with(count, contents, 8, None)
}

pub(crate) fn zip_with(count: usize, contents: &[u8], method: u16, last: Option<&[u8]>) -> Vec<u8> {
    let packed = deflate(contents);
    let mut writer = Zip::default();
    for _ in 0..count {
        writer.add(&packed, contents, method);
    }
    if let Some(last) = last {
        writer.add(&deflate(last), last, method);
    }
    writer.finish()
}

pub(crate) fn zip_packed(count: usize, packed: &[u8], contents: &[u8], method: u16) -> Vec<u8> {
    let mut writer = Zip::default();
    (0..count).for_each(|_| writer.add(packed, contents, method));
    writer.finish()
}

/// An index whose members all lie in the same place.
pub(crate) fn overlapping(count: usize) -> Vec<u8> {
    let mut writer = Zip::default();
    let packed = deflate(b"x");
    writer.add(&packed, b"x", 8);
    let (central, at) = (writer.central.clone(), writer.bytes.len());
    (1..count).for_each(|_| writer.central.extend(&central));
    writer.count = count;
    debug_assert_eq!(at, writer.bytes.len());
    writer.finish()
}

fn deflate(contents: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(contents);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

#[derive(Default)]
struct Zip {
    bytes: Vec<u8>,
    central: Vec<u8>,
    count: usize,
}

impl Zip {
    fn add(&mut self, packed: &[u8], contents: &[u8], method: u16) {
        let mut sum = Crc::new();
        sum.update(contents);
        let name = format!("{:05}", self.count);
        let number = |number: usize| u32::try_from(number).unwrap_or_default().to_le_bytes();
        let mut common = Vec::new();
        common.extend([20, 0, 0, 0]);
        common.extend(method.to_le_bytes());
        common.extend([0; 4]);
        common.extend(sum.sum().to_le_bytes());
        common.extend(number(packed.len()));
        common.extend(number(contents.len()));
        common.extend([5, 0, 0, 0]);
        let at = self.bytes.len();
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&common);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(packed);
        self.central.extend(b"PK\x01\x02\x14\0");
        self.central.extend(common);
        self.central.extend([0; 10]);
        self.central.extend(number(at));
        self.central.extend(name.as_bytes());
        self.count += 1;
    }

    fn finish(mut self) -> Vec<u8> {
        let at = u32::try_from(self.bytes.len()).unwrap_or_default();
        let size = u32::try_from(self.central.len()).unwrap_or_default();
        let count = u16::try_from(self.count).unwrap_or_default();
        self.bytes.extend(self.central);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(count.to_le_bytes());
        self.bytes.extend(count.to_le_bytes());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(at.to_le_bytes());
        self.bytes.extend([0; 2]);
        self.bytes
    }
}

pub(crate) fn zeros_of(bytes: usize) -> Vec<u8> {
    vec![0; bytes]
}
