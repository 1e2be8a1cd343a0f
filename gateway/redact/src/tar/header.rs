//! One header block of a tar archive.

mod edit;

use std::ops::Range;

pub(crate) use edit::map_goes_on;

use super::block::BLOCK;
use crate::Error;

const MAGIC: Range<usize> = 257..263;
const VERSION: Range<usize> = 263..265;
const PREFIX: Range<usize> = 345..500;
/// The map of holes in old GNU headers: offsets and lengths of 12 bytes each.
pub(super) const GNU_MAP: Range<usize> = 386..482;
/// A flag of the blocks behind an old GNU header: another block of the sparse map follows.
pub(super) const MORE_IN_MAP: usize = 504;
/// A flag of old GNU headers: another block of the sparse map follows.
const MORE_IN_HEADER: usize = 482;

/// A block with a header whose checksum holds.
///
/// Numbers are not read by the `tar` crate: it takes `+7`, stops at a NUL and drops the high bytes of base 256. Other
/// readers do otherwise, so such numbers are refused here.
#[derive(Debug, Clone)]
pub(crate) struct Header(Box<::tar::Header>);

/// The kind of a header, which decides on what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Contents of a file, or of something that no standard names.
    File,
    /// The same, with a map of holes in the header.
    OldSparse,
    /// Nothing: another name for an earlier member.
    HardLink,
    /// Nothing: symlinks, devices, directories and FIFOs.
    Empty,
    /// Records for the next member.
    Pax,
    /// Records for all members that follow.
    Global,
    /// The next member's name.
    LongName,
    /// The target of the next member, a link.
    LongLink,
}

/// The format of a header, by its magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Before POSIX: nothing stands behind the target of a link.
    Old,
    /// POSIX.1-1988 and later.
    Posix,
    Gnu,
    /// Some readers take it for POSIX, some for an old one.
    Unknown,
}

impl Header {
    /// `None` for the block of zeros that ends an archive.
    pub(crate) fn parse(block: &[u8; BLOCK]) -> Result<Option<Self>, Error> {
        if *block == [0; BLOCK] {
            return Ok(None);
        }
        let header = Self(Box::new(::tar::Header::from_byte_slice(block).clone()));
        let stored = octal(&header.0.as_old().cksum)
            .ok_or(Error::BadTar("a header's checksum is not a number"))?;
        if header.has_sum(stored) {
            Ok(Some(header))
        } else {
            Err(Error::BadTar("a header's checksum is wrong"))
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub(crate) fn kind(&self) -> Kind {
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

    /// The byte that stands for the kind.
    pub(super) fn kind_byte(&self) -> u8 {
        let [kind] = self.0.as_old().linkflag;
        kind
    }

    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(&self.0.as_old().name);
        match self.prefix() {
            [] => name.to_vec(),
            prefix => [prefix, b"/", name].concat(),
        }
    }

    /// The target of a link.
    pub(super) fn link(&self) -> Vec<u8> {
        text(&self.0.as_old().linkname).to_vec()
    }

    fn format(&self) -> Format {
        match (self.bytes(MAGIC), self.bytes(VERSION)) {
            (b"ustar\0", _) => Format::Posix,
            (b"ustar ", b" \0") => Format::Gnu,
            (magic, _) if magic.starts_with(b"ustar") => Format::Unknown,
            _ => Format::Old,
        }
    }

    fn bytes(&self, field: Range<usize>) -> &[u8] {
        self.as_bytes().get(field).unwrap_or_default()
    }

    fn bytes_mut(&mut self, field: Range<usize>) -> &mut [u8] {
        self.0.as_mut_bytes().get_mut(field).unwrap_or_default()
    }

    /// The permission bits, with setuid, setgid and sticky bit; 0 where the field is not a number.
    pub(super) fn mode(&self) -> u32 {
        let mode = octal(&self.0.as_old().mode).unwrap_or_default();
        u32::try_from(mode & 0o7777).unwrap_or_default()
    }

    /// Bytes of contents.
    pub(super) fn size(&self) -> Result<u64, Error> {
        let size = number(&self.0.as_old().size);
        size.filter(|size| i64::try_from(*size).is_ok())
            .ok_or(Error::BadTar("a member's size is not a number"))
    }

    /// The same header for contents of another size.
    pub(super) fn with_size(&self, size: u64) -> Self {
        let mut header = self.clone();
        header.0.set_size(size);
        header.update_sum();
        header
    }

    /// Whether blocks with more of an old sparse map follow.
    pub(super) fn has_more_map(&self) -> bool {
        let flag = self.as_bytes().get(MORE_IN_HEADER);
        self.kind() == Kind::OldSparse && flag.is_some_and(|more| *more != 0)
    }

    /// The directories before a long name (POSIX.1-1988). GNU's own format has other fields there.
    fn prefix(&self) -> &[u8] {
        if self.format() == Format::Posix {
            text(self.bytes(PREFIX))
        } else {
            &[]
        }
    }

    /// Writes a name that is as long as before.
    fn set_name(&mut self, name: &[u8]) {
        let length = self.prefix().len();
        let (prefix, rest) = name.split_at_checked(length).unwrap_or_default();
        // The slash between the two stands in neither field.
        let rest = rest.get(usize::from(length > 0)..).unwrap_or_default();
        if length > 0 {
            overwrite(self.bytes_mut(PREFIX), prefix);
        }
        overwrite(&mut self.0.as_old_mut().name, rest);
    }

    /// Makes the checksum right. One that is right stays as it is written.
    fn update_sum(&mut self) {
        let stored = octal(&self.0.as_old().cksum);
        if !stored.is_some_and(|stored| self.has_sum(stored)) {
            self.0.set_cksum();
        }
    }

    /// Whether `stored` is the sum of the bytes; some old writers summed signed bytes.
    fn has_sum(&self, stored: u64) -> bool {
        let mut summed = self.0.clone();
        // Leaves digits in the field, so that it can be read back, and so that none of its bytes is negative.
        summed.set_cksum();
        let sum = summed.cksum().map(u64::from).unwrap_or_default();
        let negative = summed.as_bytes().iter().filter(|byte| **byte >= 0x80);
        let signed = sum.checked_sub(256 * negative.count() as u64);
        stored == sum || Some(stored) == signed
    }
}

fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn overwrite(field: &mut [u8], bytes: &[u8]) {
    field
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
}

/// Spaces, octal digits, then NULs or spaces. An empty field is zero, as for every reader. Digits behind a NUL are read by
/// some readers and not by others.
/// A number, in octal digits or binary as GNU writes it.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    match field {
        [first, ..] if first & 0x80 != 0 => base_256(field),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let end = field
        .iter()
        .rposition(|byte| !matches!(byte, 0 | b' '))
        .map_or(0, |last| last + 1);
    let spaces = field.iter().take_while(|byte| **byte == b' ').count();
    let digits = field.get(spaces.min(end)..end)?;
    digits.iter().try_fold(0u64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// GNU's extension: the first bit marks it, the second is the sign.
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
    use crate::tar::HeaderText;
    use proptest::prelude::*;

    fn header() -> Header {
        let mut header = ::tar::Header::new_ustar();
        header.set_path("checkpoint/pages-1.img").unwrap();
        header.set_size(4096);
        header.set_cksum();
        Header::parse(header.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn reads_back_every_size_that_it_writes() {
        for size in [
            0,
            1,
            0o777_7777_7777,
            0o1_0000_0000_0000,
            i64::MAX.cast_unsigned(),
        ] {
            let resized = header().with_size(size);
            let read = Header::parse(resized.0.as_bytes()).unwrap().unwrap();
            assert_eq!(read.size().unwrap(), size);
            assert_eq!(read.name(), b"checkpoint/pages-1.img");
            assert_eq!(resized.0.size().unwrap(), size);
        }
    }

    #[test]
    fn refuses_a_header_with_one_bit_flipped() {
        for at in [0, 100, 130, 156, 300, 511] {
            let mut block = *header().0.as_bytes();
            block[at] ^= 1;
            assert!(Header::parse(&block).is_err(), "{at}");
        }
    }

    #[test]
    fn takes_a_sum_of_signed_bytes() {
        let mut old = header();
        old.0.as_mut_bytes()[0] = 0xe9;
        old.0.set_cksum();
        let sum = old.0.cksum().unwrap() - 256;
        overwrite(
            &mut old.0.as_old_mut().cksum,
            format!("{sum:06o}\0 ").as_bytes(),
        );
        let read = Header::parse(old.0.as_bytes()).unwrap().unwrap();
        assert_eq!(
            read.edited(&mut |_, _| {}).unwrap().as_bytes(),
            old.as_bytes()
        );
        overwrite(
            &mut old.0.as_old_mut().cksum,
            format!("{:06o}\0 ", sum + 1).as_bytes(),
        );
        assert!(Header::parse(old.0.as_bytes()).is_err());
    }

    #[test]
    fn refuses_sizes_that_readers_take_differently() {
        for field in [
            [0xff; 12],
            [0x80, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0],
            *b"99999999999\0",
            *b"\x0000000000012",
            *b"0000001\x000001",
            *b"+0000000007\0",
            *b"\t0000000007\0",
        ] {
            let mut header = header();
            header.0.as_old_mut().size = field;
            header.0.set_cksum();
            let read = Header::parse(header.0.as_bytes()).unwrap().unwrap();
            assert!(read.size().is_err(), "{field:?}");
        }
    }

    proptest! {
        #[test]
        fn masked_names_keep_their_length_and_the_sum_right(
            name in "[a-zA-Z0-9]{1,90}(/[a-z]{1,90}){0,1}",
            masked in any::<prop::sample::Index>(),
        ) {
            let mut header = ::tar::Header::new_ustar();
            prop_assume!(header.set_path(&name).is_ok());
            header.set_cksum();
            let before = Header::parse(header.as_bytes()).unwrap().unwrap();
            let at = masked.index(name.len());
            let after = before.edited(&mut |kind, text| {
                if kind == HeaderText::Name && let Some(byte) = text.get_mut(at) { *byte = b'*' }
            }).unwrap();
            let read = Header::parse(after.0.as_bytes()).unwrap().unwrap();
            let mut wanted = name.into_bytes();
            // The slash between prefix and name stands in no field.
            if wanted[at] != b'/' {
                wanted[at] = b'*';
                prop_assert_eq!(read.name(), wanted);
            }
        }
    }
}
