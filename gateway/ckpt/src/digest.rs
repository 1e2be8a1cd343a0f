//! SHA-256, as `sha256sum` prints it.

use std::fmt::Write as _;
use std::io::{self, Read};

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes that are read at once.
pub(crate) const CHUNK: usize = 1 << 20;

/// The length and the digest of what `reader` gives.
pub(crate) fn of(reader: &mut impl Read) -> io::Result<(u64, String)> {
    copy(reader, &mut io::sink())
}

/// Copies `reader` into `writer`; tells length and digest of what went through.
pub(crate) fn copy(
    reader: &mut impl Read,
    writer: &mut impl io::Write,
) -> io::Result<(u64, String)> {
    let mut digest = Context::new(&SHA256);
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex(digest.finish().as_ref()))),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let read = buffer.get(..length).unwrap_or_default();
        digest.update(read);
        writer.write_all(read)?;
        bytes += length as u64;
    }
}

/// In lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_what_sha256sum_prints() {
        let mut copied = Vec::new();
        let told = copy(&mut &b"abc"[..], &mut copied).unwrap();
        // FIPS 180-2, B.1.
        assert_eq!(
            told,
            (
                3,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned()
            )
        );
        assert_eq!(copied, b"abc");
    }
}
