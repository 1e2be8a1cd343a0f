//! SHA-256 digests of files and streams, in the hex digits that `sha256sum` prints.

use std::io::{self, Read};

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes read at once.
const CHUNK: usize = 1 << 20;

/// The length in bytes and the digest of what `reader` yields.
pub(crate) fn of(reader: &mut impl Read) -> io::Result<(u64, String)> {
    copy(reader, &mut io::sink())
}

/// The digest of bytes in memory.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&SHA256, bytes))
}

/// Copies `reader` into `writer`; returns length in bytes and digest.
pub(crate) fn copy(
    reader: &mut impl Read,
    writer: &mut impl io::Write,
) -> io::Result<(u64, String)> {
    let mut digest = Context::new(&SHA256);
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex::encode(digest.finish()))),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let read = buffer.get(..length).unwrap_or_default();
        digest.update(read);
        writer.write_all(read)?;
        bytes += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_standards_example() {
        let mut copied = Vec::new();
        let (bytes, digest) = copy(&mut &b"abc"[..], &mut copied).unwrap();
        // FIPS 180-2, B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((bytes, &*digest), (3, expected));
        assert_eq!(copied, b"abc");
        assert_eq!(of_bytes(b"abc"), expected);
    }
}
