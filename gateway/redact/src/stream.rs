//! Reads archives in order, a piece at a time.

use std::io::{BufRead, ErrorKind, Read};

use crate::Error;

/// Hands everything that is left of `input` to `take`, in the pieces in which it comes.
pub(crate) fn read_pieces(
    input: &mut dyn BufRead,
    mut take: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    loop {
        let length = match input.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(bytes) => take(bytes).map(|()| bytes.len())?,
            Err(error) if error.kind() == ErrorKind::Interrupted => 0,
            Err(error) => return Err(Error::reading(error)),
        };
        input.consume(length);
    }
}

/// Everything that is left of `input`. The caller bounds it.
pub(crate) fn read_all(input: &mut (impl Read + ?Sized)) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(Error::reading)?;
    Ok(bytes)
}

/// Fills `buffer`.
pub(crate) fn read_exact(input: &mut dyn BufRead, buffer: &mut [u8]) -> Result<(), Error> {
    input.read_exact(buffer).map_err(Error::reading)
}

/// Reads `length` bytes and drops them.
pub(crate) fn skip(input: &mut dyn BufRead, length: u64) -> Result<(), Error> {
    let mut skipped = input.take(length);
    read_pieces(&mut skipped, |_| Ok(()))?;
    ensure_complete(skipped.limit())
}

/// Whether `input` has no more bytes.
pub(crate) fn is_at_end(input: &mut dyn BufRead) -> Result<bool, Error> {
    loop {
        match input.fill_buf() {
            Ok(bytes) => return Ok(bytes.is_empty()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::reading(error)),
        }
    }
}

/// Refuses contents of which `missing` bytes did not come.
pub(crate) fn ensure_complete(missing: u64) -> Result<(), Error> {
    if missing == 0 {
        Ok(())
    } else {
        Err(Error::Truncated)
    }
}
