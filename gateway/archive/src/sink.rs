//! The receiving end of a drained archive.

use crate::Error;

/// Takes an archive's bytes in order.
pub(crate) trait Sink {
    /// Takes the next bytes. Not called again after an error.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error>;
}

/// Discards bytes that are in a file already and need only their digest.
#[derive(Debug)]
pub(crate) struct Discard;

impl Sink for Discard {
    fn put(&mut self, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}
