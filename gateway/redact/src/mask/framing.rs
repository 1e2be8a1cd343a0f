//! What stands around the contents of a tar archive's members.

use std::io::BufRead;

use crate::Error;
use crate::sink::Sink;
use crate::stream::{read_exact, read_pieces, skip};
use crate::tar::{BLOCK, padding};

/// Counts one more member against the limit.
pub(super) fn count_member(left: &mut u64) -> Result<(), Error> {
    *left = left
        .checked_sub(1)
        .ok_or(Error::BadTar("it has too many members"))?;
    Ok(())
}

/// Writes the end of an archive. Some readers look for more behind it, which nothing would have searched.
pub(super) fn copy_end(input: &mut dyn BufRead, out: &mut dyn Sink) -> Result<(), Error> {
    out.put(&[0; BLOCK])?;
    read_pieces(input, |bytes| {
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(Error::BadTar("something follows the end"));
        }
        out.put(bytes)
    })
}

/// Reads over contents of `size` bytes and their padding.
pub(super) fn skip_contents(input: &mut dyn BufRead, size: u64) -> Result<(), Error> {
    skip(input, size.saturating_add(padding(size) as u64))
}

/// Reads over the padding of contents of `size` bytes. It is written anew, since nothing searches it. Returns whether it was
/// zeros alone.
pub(super) fn drop_padding(input: &mut dyn BufRead, size: u64) -> Result<bool, Error> {
    let mut behind = vec![0; padding(size)];
    read_exact(input, &mut behind)?;
    Ok(behind.iter().all(|byte| *byte == 0))
}
