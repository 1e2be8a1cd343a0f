//! Tells formats apart by their first bytes.

use crate::tar::{BLOCK, Header};

/// Bytes that [`Format::of`] needs to see, as far as the contents have them.
pub(crate) const START: usize = BLOCK;

/// A format that has to be unpacked before its contents can be searched, or that cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Files, one after the other.
    Tar,
    /// RFC 1952.
    Gzip,
    /// RFC 8878, skippable frames included.
    Zstd,
    /// The .xz file format.
    Xz,
    /// Streams of `BZh` blocks.
    Bzip2,
    /// The LZ4 frame format.
    Lz4,
    /// PKWARE's APPNOTE.
    Zip,
    /// A format that says of itself that it is encrypted.
    Encrypted,
    /// A compression method that is not known here.
    Unknown,
}

impl Format {
    /// The format of contents that begin with `start`; `None` for bytes that are searched as they are.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        let magic = start.first_chunk().copied().map(u32::from_le_bytes);
        match start {
            // Any other method than deflate (8) is unknown.
            [0x1f, 0x8b, 8, ..] => return Some(Self::Gzip),
            [0x1f, 0x8b, ..] => return Some(Self::Unknown),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => return Some(Self::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', block @ ..] if begins_bzip2_block(block) => {
                return Some(Self::Bzip2);
            }
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => {
                return Some(Self::Zip);
            }
            _ => {}
        }
        match magic {
            // Frames of Zstandard before version 0.8, and LZ4's legacy frame.
            Some(0xfd2f_b522..=0xfd2f_b527 | 0x184c_2102) => return Some(Self::Unknown),
            Some(0x184d_2204) => return Some(Self::Lz4),
            // LZ4 has skippable frames, too, and hardly ever begins with one.
            Some(0xfd2f_b528 | 0x184d_2a50..=0x184d_2a5f) => return Some(Self::Zstd),
            _ => {}
        }
        if is_encrypted(start) {
            return Some(Self::Encrypted);
        }
        let header = start.first_chunk().map(Header::parse);
        matches!(header, Some(Ok(Some(_)))).then_some(Self::Tar)
    }

    /// Whether something that was masked can be written in this format.
    pub(crate) fn can_be_written(self) -> bool {
        matches!(self, Self::Tar | Self::Gzip | Self::Zstd | Self::Zip)
    }
}

/// The six bytes that begin a block or end a stream; fewer where the contents break off.
fn begins_bzip2_block(bytes: &[u8]) -> bool {
    const BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
    const END: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
    let seen = bytes.get(..BLOCK.len()).unwrap_or(bytes);
    !seen.is_empty() && (BLOCK.starts_with(seen) || END.starts_with(seen))
}

fn is_encrypted(start: &[u8]) -> bool {
    const MAGICS: [&[u8]; 4] = [
        b"age-encryption.org/",
        b"-----BEGIN AGE ENCRYPTED FILE-----",
        b"Salted__",
        b"LUKS\xba\xbe",
    ];
    MAGICS.iter().any(|magic| start.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_formats_apart() {
        for (start, format) in [
            (&b"\x1f\x8b\x08\0"[..], Some(Format::Gzip)),
            (b"\x1f\x8b\x09\0", Some(Format::Unknown)),
            (b"\x28\xb5\x2f\xfd", Some(Format::Zstd)),
            (b"\x27\xb5\x2f\xfd", Some(Format::Unknown)),
            (b"\x53\x2a\x4d\x18", Some(Format::Zstd)),
            (b"\x04\x22\x4d\x18", Some(Format::Lz4)),
            (b"\xfd7zXZ\0\0", Some(Format::Xz)),
            (b"BZh91AY&SY", Some(Format::Bzip2)),
            (b"BZh9\x17\x72\x45\x38\x50\x90", Some(Format::Bzip2)),
            (b"BZh9 is a word", None),
            (b"PK\x03\x04", Some(Format::Zip)),
            (b"PK\x05\x06", Some(Format::Zip)),
            (b"PK and more", None),
            (b"Salted__12345678", Some(Format::Encrypted)),
            (b"LUKS\xba\xbe\0\x02", Some(Format::Encrypted)),
            (b"age-encryption.org/v1\n-> X25519", Some(Format::Encrypted)),
            (b"plain", None),
            (b"", None),
        ] {
            assert_eq!(Format::of(start), format, "{start:?}");
        }
    }
}
