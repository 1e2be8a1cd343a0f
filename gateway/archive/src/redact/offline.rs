use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use gateway_core::RedactionSummary;

use super::redactor::{Redaction, Redactor};
use super::scratch::ScratchFile;
use crate::Error;
use crate::sink::Sink;

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
    scratch: &mut (dyn FnMut() -> io::Result<File> + '_),
) -> Result<RedactionSummary, Error> {
    let mut redactor = Redactor::new(redaction)?;
    let mut again = redactor.pass(input, &mut Plain(output), &mut || {
        scratch().map(ScratchFile::unbounded)
    })?;
    while again {
        again = once_more(&mut redactor, output, scratch)?;
    }
    redactor.finish(output)
}

/// Another pass over `output`, by way of a private file.
fn once_more(
    redactor: &mut Redactor,
    output: &mut File,
    scratch: &mut (dyn FnMut() -> io::Result<File> + '_),
) -> Result<bool, Error> {
    let mut next = scratch().map_err(Error::Reading)?;
    output.rewind().map_err(Error::Reading)?;
    let again = redactor.pass(output, &mut Plain(&mut next), &mut || {
        scratch().map(ScratchFile::unbounded)
    })?;
    next.rewind()
        .and_then(|()| output.rewind())
        .and_then(|()| output.set_len(0))
        .map_err(Error::Reading)?;
    io::copy(&mut next, output).map_err(writing)?;
    Ok(again)
}

/// A file without a reservation.
struct Plain<'a>(&'a mut File);

impl Sink for Plain<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write_all(bytes).map_err(writing)
    }
}

fn writing(error: io::Error) -> Error {
    Error::io("write", Path::new("the redacted archive"))(error)
}
