use std::ops::Range;

use crate::Error;

/// A tar consists of blocks of so many bytes (POSIX.1, pax).
pub(super) const BLOCK: usize = 512;

const NAME: Range<usize> = 0..100;
const SIZE: Range<usize> = 124..136;
const CHECKSUM: Range<usize> = 148..156;
const KIND: usize = 156;
const LINK: Range<usize> = 157..257;
const MAGIC: Range<usize> = 257..263;
const PREFIX: Range<usize> = 345..500;
/// Where an old GNU header tells that blocks with more of the sparse map follow, and where those tell it.
const MORE_IN_HEADER: usize = 482;
const MORE_IN_MAP: usize = 504;

/// One block with a header whose checksum holds.
#[derive(Debug, Clone)]
pub(super) struct Header(Box<[u8; BLOCK]>);

/// What a header announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Contents of a file, or of something that no standard names.
    File,
    /// The same, with a map of holes in the header.
    OldSparse,
    HardLink,
    /// Symlinks, devices, directories and FIFOs: a header without contents.
    Empty,
    /// Records for the next member.
    Pax,
    /// Records for all members that follow.
    Global,
    LongName,
    LongLink,
}

impl Header {
    /// `None` for the block of zeros that ends an archive.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Option<Self>, Error> {
        if *block == [0; BLOCK] {
            return Ok(None);
        }
        let header = Self(Box::new(*block));
        let told = octal(header.field(CHECKSUM))
            .ok_or(Error::BadTar("a header's checksum is no number"))?;
        // Some old writers summed signed bytes.
        let holds = header.checksum() == told || header.signed_checksum() == Some(told);
        if holds {
            Ok(Some(header))
        } else {
            Err(Error::BadTar("a header's checksum does not hold"))
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    pub(super) fn kind(&self) -> Kind {
        match self.kind_byte() {
            b'1' => Kind::HardLink,
            b'2'..=b'6' => Kind::Empty,
            b'x' => Kind::Pax,
            b'g' => Kind::Global,
            b'L' => Kind::LongName,
            b'K' => Kind::LongLink,
            b'S' => Kind::OldSparse,
            _ => Kind::File,
        }
    }

    pub(super) fn kind_byte(&self) -> u8 {
        self.0.get(KIND).copied().unwrap_or_default()
    }

    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(self.field(NAME));
        if self.has_prefix() {
            [text(self.field(PREFIX)), b"/", name].concat()
        } else {
            name.to_vec()
        }
    }

    /// The same header with the names in it edited: a member's own, and where a link points.
    pub(super) fn with_names(&self, mut edit: impl FnMut(&mut [u8])) -> Self {
        let mut header = self.clone();
        let (mut name, mut link) = (self.name(), self.link());
        edit(&mut name);
        edit(&mut link);
        if name != self.name() {
            header.put_name(&name);
        }
        header.put(LINK, &link);
        header.sum();
        header
    }

    /// The same header with the beginning of another name. Where an extended header has the whole name, nobody reads this.
    pub(super) fn with_beginning_of(&self, name: &[u8]) -> Self {
        let mut header = self.clone();
        if self.has_prefix() {
            header.put(PREFIX, &[0; PREFIX.end - PREFIX.start]);
        }
        header.put(NAME, &[0; NAME.end - NAME.start]);
        header.put(
            NAME,
            name.get(..name.len().min(NAME.len() - 1))
                .unwrap_or_default(),
        );
        header.sum();
        header
    }

    /// Puts back a name that is as long as before.
    fn put_name(&mut self, name: &[u8]) {
        let prefix = if self.has_prefix() {
            text(self.field(PREFIX)).len()
        } else {
            0
        };
        let (before, after) = name.split_at_checked(prefix).unwrap_or_default();
        self.put(PREFIX, before);
        // Between the two stands a slash that is in neither.
        self.put(
            NAME,
            after.get(usize::from(prefix > 0)..).unwrap_or_default(),
        );
    }

    fn has_prefix(&self) -> bool {
        // GNU's own format has other things where POSIX has the prefix.
        self.field(MAGIC) == b"ustar\0" && !text(self.field(PREFIX)).is_empty()
    }

    pub(super) fn link(&self) -> Vec<u8> {
        text(self.field(LINK)).to_vec()
    }

    pub(super) fn size(&self) -> Result<u64, Error> {
        let field = self.field(SIZE);
        let size = match field.first() {
            Some(first) if first & 0x80 != 0 => base_256(field),
            _ => octal(field),
        };
        size.filter(|size| i64::try_from(*size).is_ok())
            .ok_or(Error::BadTar("a member's size is no number"))
    }

    /// The same header for other contents.
    pub(super) fn with_size(&self, size: u64) -> Self {
        let mut header = self.clone();
        // Eleven digits and a NUL, or GNU's base 256.
        let digits = format!("{size:011o}\0");
        if digits.len() == SIZE.len() {
            header.put(SIZE, digits.as_bytes());
        } else {
            header.put(
                SIZE,
                &[&[0x80, 0, 0, 0], size.to_be_bytes().as_slice()].concat(),
            );
        }
        header.sum();
        header
    }

    /// Whether blocks with more of an old sparse map follow.
    pub(super) fn has_more_map(&self) -> bool {
        self.kind() == Kind::OldSparse && self.0.get(MORE_IN_HEADER).is_some_and(|more| *more != 0)
    }

    fn field(&self, range: Range<usize>) -> &[u8] {
        self.0.get(range).unwrap_or_default()
    }

    fn put(&mut self, range: Range<usize>, bytes: &[u8]) {
        if let Some(field) = self.0.get_mut(range) {
            field
                .iter_mut()
                .zip(bytes)
                .for_each(|(to, from)| *to = *from);
        }
    }

    /// Makes the checksum hold, in the way that most write it; leaves one that holds as it is.
    fn sum(&mut self) {
        let told = octal(self.field(CHECKSUM));
        if told != Some(self.checksum()) && told != self.signed_checksum() {
            let sum = format!("{:06o}\0 ", self.checksum());
            self.put(CHECKSUM, sum.as_bytes());
        }
    }

    fn checksum(&self) -> u64 {
        self.summed().map(u64::from).sum()
    }

    fn signed_checksum(&self) -> Option<u64> {
        u64::try_from(
            self.summed()
                .map(|byte| i64::from(byte.cast_signed()))
                .sum::<i64>(),
        )
        .ok()
    }

    /// The bytes that a checksum is made of: its own field counts as spaces.
    fn summed(&self) -> impl Iterator<Item = u8> {
        self.0
            .iter()
            .enumerate()
            .map(|(at, byte)| if CHECKSUM.contains(&at) { b' ' } else { *byte })
    }
}

/// Whether yet another block with more of an old sparse map follows this one.
pub(super) fn map_goes_on(block: &[u8; BLOCK]) -> bool {
    block.get(MORE_IN_MAP).is_some_and(|more| *more != 0)
}

/// How many bytes fill up the last block of `size` bytes.
pub(crate) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}

fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Spaces before, digits, then NULs or spaces. Nothing at all is zero, as every reader has it; what comes behind a NUL is
/// read by some and not by others, so it is refused.
fn octal(field: &[u8]) -> Option<u64> {
    let end = field
        .iter()
        .rposition(|byte| !matches!(byte, 0 | b' '))
        .map_or(0, |last| last + 1);
    let digits = field.get(..end)?.trim_ascii_start();
    digits.iter().try_fold(0u64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// GNU's: the first bit marks it, the second is a sign.
fn base_256(field: &[u8]) -> Option<u64> {
    let mut bytes = field.iter().copied();
    let first = bytes.next().filter(|first| first & 0x40 == 0)?;
    bytes.try_fold(u64::from(first & 0x3f), |number, byte| {
        number.checked_mul(256)?.checked_add(u64::from(byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let mut header = tar::Header::new_ustar();
        header.set_path("checkpoint/pages-1.img").unwrap();
        header.set_size(4096);
        header.set_cksum();
        Header::parse(header.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_size_survives_its_own_header_however_large_it_is() {
        for size in [
            0,
            1,
            0o777_7777_7777,
            0o1_0000_0000_0000,
            i64::MAX.cast_unsigned(),
        ] {
            let resized = header().with_size(size);
            let read = Header::parse(&resized.0).unwrap().unwrap();
            assert_eq!(read.size().unwrap(), size);
            assert_eq!(read.name(), b"checkpoint/pages-1.img");
            assert_eq!(
                tar::Header::from_byte_slice(read.as_bytes())
                    .size()
                    .unwrap(),
                size
            );
        }
    }

    #[test]
    fn a_header_with_one_bit_turned_is_refused() {
        for at in [0, 100, 130, 156, 300, 511] {
            let mut block = *header().0;
            block[at] ^= 1;
            assert!(Header::parse(&block).is_err(), "{at}");
        }
    }

    #[test]
    fn negative_and_enormous_sizes_are_refused() {
        for field in [
            [0xff; 12],
            [0x80, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0],
            *b"99999999999\0",
            *b"\x0000000000012",
            *b"0000001\x000001",
        ] {
            let mut header = header();
            header.put(SIZE, &field);
            assert!(header.size().is_err());
        }
    }

    #[test]
    fn padding_fills_the_last_block() {
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }
}
