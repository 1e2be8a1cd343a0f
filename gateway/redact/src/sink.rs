//! Writes archives in order, with errors that say which output failed.

use std::io::Write;

use crate::Error;

/// A destination for an archive's bytes.
pub(crate) trait Sink {
    /// Takes the next bytes. Not called again after an error.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error>;
}

/// The caller's output.
pub(crate) struct Output<'a>(pub(crate) &'a mut dyn Write);

impl Sink for Output<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write_all(bytes).map_err(Error::Writing)
    }
}

/// Takes bytes and drops them.
pub(crate) struct Discard;

impl Sink for Discard {
    fn put(&mut self, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}
