//! Where the crate keeps data for a while: the caller decides, in memory or on a disk.

use std::io::{self, Read, Seek, Write};

/// Makes temporary storage. A closure that opens temporary files is one, so `tempfile::tempfile` will do.
pub trait Scratch {
    /// New, empty storage that is gone when it is dropped. It will hold unredacted data, so nobody else should be able to
    /// open it.
    ///
    /// # Errors
    /// Whatever keeps it from being made. The error comes back as [`Error::Scratch`](crate::Error::Scratch).
    fn create(&mut self) -> io::Result<Box<dyn Spool>>;
}

/// Temporary storage: written once, then read from its beginning, perhaps several times.
pub trait Spool: Read + Write + Seek {}

impl<T: Read + Write + Seek> Spool for T {}

impl<F, S> Scratch for F
where
    F: FnMut() -> io::Result<S>,
    S: Spool + 'static,
{
    fn create(&mut self) -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(self()?))
    }
}
