//! Takes an archive's bytes in order.

use std::io::Write;

use crate::Error;

/// Where bytes go, with errors that say which of the crate's outputs failed.
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
