use std::fs::File;
use std::io::{self, Read, Seek};

use gateway_core::RedactionSummary;

use super::redactor::{Redaction, Redactor};
use crate::Error;
use crate::scratch::Scratch;

/// Redacts the archive `input` into `output`, which must be empty and open for reading too. `scratch` makes private files
/// that nobody can find, for what has to be kept for a while. On an error, `output` holds nothing that may be shown.
///
/// # Errors
/// [`Error::BadRule`] before anything is read; [`Error::BrokeArchive`] if the last check fails; others tell what is wrong
/// with the archive.
pub fn redact_file(
    redaction: Redaction,
    input: &mut dyn Read,
    output: &mut File,
    scratch: &mut dyn Scratch,
) -> Result<RedactionSummary, Error> {
    let mut redactor = Redactor::new(redaction)?;
    let mut again = redactor.pass(input, output, scratch)?;
    while again {
        again = once_more(&mut redactor, output, scratch)?;
    }
    redactor.finish(output)
}

/// Another pass over `output`, by way of a private file.
fn once_more(
    redactor: &mut Redactor,
    output: &mut File,
    scratch: &mut dyn Scratch,
) -> Result<bool, Error> {
    let mut next = scratch.create().map_err(Error::Scratch)?;
    output.rewind().map_err(Error::Reading)?;
    let again = redactor.pass(output, &mut next, scratch)?;
    next.rewind()
        .and_then(|()| output.rewind())
        .and_then(|()| output.set_len(0))
        .map_err(Error::Reading)?;
    io::copy(&mut next, output).map_err(Error::Writing)?;
    Ok(again)
}
