//! Temporary files for the redactor, on the store's own disk and within its reservations.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use gateway_redact::{Scratch, Spool};

use crate::Reservation;
use crate::place::Place;

impl Scratch for &Place {
    fn create(&mut self) -> io::Result<Box<dyn Spool>> {
        let reservation = self.inner().space.reserve(0).map_err(io::Error::other)?;
        let file = self.scratch()?;
        Ok(Box::new(ScratchFile { file, reservation }))
    }
}

/// A file without a name. Its bytes never go into the space that must stay free or is promised to others.
struct ScratchFile {
    file: File,
    reservation: Reservation,
}

impl Write for ScratchFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.reservation
            .cover(bytes.len() as u64)
            .map_err(io::Error::other)?;
        let written = self.file.write(bytes)?;
        self.reservation.spend(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for ScratchFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for ScratchFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::space::Space;
    use std::sync::Arc;

    #[test]
    fn scratch_files_leave_free_what_must_stay_free() {
        let space = Arc::new(Space::new(100 << 20, || Ok(120 << 20)));
        let mut scratch = ScratchFile {
            file: tempfile::tempfile().unwrap(),
            reservation: space.reserve(0).unwrap(),
        };
        scratch.write_all(&vec![7; 1 << 20]).unwrap();
        let error = scratch.write_all(&vec![7; 64 << 20]).unwrap_err();
        let error = Error::from(gateway_redact::Error::Scratch(error));
        assert!(matches!(error, Error::NoSpace { .. }), "{error}");
        drop(scratch);
        space.reserve(20 << 20).unwrap();
    }
}
