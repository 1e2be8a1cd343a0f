//! Opens sealed originals.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use age::{DecryptError, Decryptor};
use gateway_files::NewFile;

use crate::{Identities, UnsealError};

/// The first line of every sealed file (age-encryption.org/v1, "Version line").
const VERSION: &[u8] = b"age-encryption.org/v1\n";

/// The longest header that is read, in bytes: many times that of 64 recipients.
const MAX_HEADER: u64 = 64 << 10;

/// The beginning of a header's last line.
const LAST_LINE: &[u8] = b"--- ";

/// Opens a sealed archive into `output` and returns its length in bytes. Output that was written before an error must not be
/// used: only the last byte proves that it is whole.
pub fn unseal(
    input: impl Read,
    identities: &Identities,
    output: &mut impl Write,
) -> Result<u64, UnsealError> {
    let ended = Cell::new(false);
    let mut input = BufReader::new(EndWatcher {
        input,
        ended: &ended,
    });
    let header = read_header(&mut input)?;
    let opened = Decryptor::new_buffered(header.as_slice().chain(input))
        .and_then(|sealed| sealed.decrypt(identities.iter()));
    let mut opened = opened.map_err(header_error)?;
    let mut buffer = vec![0; 64 << 10];
    let mut bytes = 0u64;
    loop {
        let length = match opened.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(body_error(error, ended.get())),
        };
        let plain = buffer.get(..length).unwrap_or_default();
        output
            .write_all(plain)
            .map_err(|error| UnsealError::Stream("write the plaintext", error))?;
        bytes = bytes.saturating_add(length as u64);
    }
}

/// Opens the sealed file `from` with the identities in `identity_file` and writes the new private file `to`: whole, or not
/// at all. Returns its length in bytes.
///
/// # Errors
/// [`UnsealError::Exists`] where `to` exists, checked before anything is read and again at the end.
pub fn unseal_file(from: &Path, to: &Path, identity_file: &Path) -> Result<u64, UnsealError> {
    if to.symlink_metadata().is_ok() {
        return Err(UnsealError::Exists {
            path: to.to_owned(),
        });
    }
    let identities = Identities::read(identity_file)?;
    let input = File::open(from).map_err(UnsealError::io("open", from))?;
    // Without a name, so that not even a killed program leaves a part of the plaintext.
    let mut file = NewFile::create(to)?;
    let mut output = BufWriter::with_capacity(1 << 20, &mut file);
    let bytes = unseal(input, &identities, &mut output)?;
    output.flush().map_err(UnsealError::io("write", to))?;
    drop(output);
    file.publish()?;
    Ok(bytes)
}

/// Remembers whether the end was seen, to tell truncated input from altered input.
struct EndWatcher<'a, R> {
    input: R,
    ended: &'a Cell<bool>,
}

impl<R: Read> Read for EndWatcher<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.ended
            .set(self.ended.get() || (length == 0 && !buffer.is_empty()));
        Ok(length)
    }
}

/// Reads the header up to its last line, with a bound: age has none.
fn read_header(input: &mut impl BufRead) -> Result<Vec<u8>, UnsealError> {
    let mut header = Vec::new();
    let mut input = input.take(MAX_HEADER);
    loop {
        let line = header.len();
        let length = input.read_until(b'\n', &mut header);
        let length =
            length.map_err(|error| UnsealError::Stream("read the sealed archive", error))?;
        let known = header.get(..VERSION.len()).unwrap_or(&header);
        if known.is_empty() || !VERSION.starts_with(known) {
            return Err(UnsealError::NotSealed);
        }
        if header
            .get(line..)
            .is_some_and(|line| line.starts_with(LAST_LINE) && line.ends_with(b"\n"))
        {
            return Ok(header);
        }
        match (length, input.limit()) {
            (_, 0) => return Err(UnsealError::Altered),
            (0, _) => return Err(UnsealError::Truncated),
            _ => {}
        }
    }
}

fn header_error(error: DecryptError) -> UnsealError {
    match error {
        DecryptError::NoMatchingKeys => UnsealError::WrongKey,
        DecryptError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            UnsealError::Truncated
        }
        DecryptError::Io(error) => UnsealError::Stream("read the sealed archive", error),
        DecryptError::UnknownFormat => UnsealError::NotSealed,
        _ => UnsealError::Altered,
    }
}

fn body_error(error: io::Error, ended: bool) -> UnsealError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => UnsealError::Truncated,
        io::ErrorKind::InvalidData if ended => UnsealError::Truncated,
        io::ErrorKind::InvalidData => UnsealError::Altered,
        _ => UnsealError::Stream("read the sealed archive", error),
    }
}
