//! Redacts an archive into a file.

use std::fs::File;
use std::io::{self, Read, Seek};

use super::redactor::{Redacted, Redaction, Redactor};
use crate::Error;
use crate::scratch::Scratch;

/// Redacts the archive `input` into `output`, which must be empty and open for reading too. After an error, `output` may
/// hold secrets and must be thrown away.
///
/// # Errors
/// [`Error::BadRule`], [`Error::CannotDrop`] and [`Error::BadMask`] before anything is read; [`Error::BrokeArchive`] if the last
/// check fails; others say what is wrong with the archive.
pub fn redact_file(
    redaction: Redaction,
    input: &mut dyn Read,
    output: &mut File,
    scratch: &mut dyn Scratch,
) -> Result<Redacted, Error> {
    let mut redactor = Redactor::new(redaction)?;
    let mut again = redactor.pass(input, output, scratch)?;
    while again {
        again = pass_over(&mut redactor, output, scratch)?;
    }
    redactor.finish(output)
}

/// Another pass over `output`, by way of scratch storage.
fn pass_over(
    redactor: &mut Redactor,
    output: &mut File,
    scratch: &mut dyn Scratch,
) -> Result<bool, Error> {
    let mut next = scratch.create().map_err(Error::Scratch)?;
    output.rewind().map_err(Error::Reading)?;
    let again = redactor.pass(output, &mut next, scratch)?;
    next.rewind().map_err(Error::Scratch)?;
    output
        .rewind()
        .and_then(|()| output.set_len(0))
        .and_then(|()| io::copy(&mut next, output))
        .map_err(Error::Writing)?;
    Ok(again)
}
