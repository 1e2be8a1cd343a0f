use std::fs::File;
use std::io::{self, Write};

use crate::Reservation;

/// Makes private files that nobody can find, for what must be kept for a while.
pub(crate) type Scratch<'a> = dyn FnMut() -> io::Result<ScratchFile> + 'a;

/// A private file for a while. Where it lies on the store's disk, what is written to it stays out of what must stay free and
/// of what is promised to others.
#[derive(Debug)]
pub(crate) struct ScratchFile {
    file: File,
    reservation: Option<Reservation>,
}

impl ScratchFile {
    pub(crate) fn within(file: File, reservation: Reservation) -> Self {
        Self {
            file,
            reservation: Some(reservation),
        }
    }

    /// For whoever looks after the disk's space otherwise.
    pub(crate) fn unbounded(file: File) -> Self {
        Self {
            file,
            reservation: None,
        }
    }

    /// All is written.
    pub(super) fn into_file(self) -> File {
        self.file
    }
}

impl Write for ScratchFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(reservation) = &mut self.reservation else {
            return self.file.write(bytes);
        };
        reservation
            .cover(bytes.len() as u64)
            .map_err(io::Error::other)?;
        let written = self.file.write(bytes)?;
        reservation.spend(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::space::Space;
    use std::sync::Arc;

    #[test]
    fn what_must_stay_free_stays_free_of_scratch_files_too() {
        let space = Arc::new(Space::new(100 << 20, || Ok(120 << 20)));
        let mut scratch =
            ScratchFile::within(tempfile::tempfile().unwrap(), space.reserve(0).unwrap());
        scratch.write_all(&vec![7; 1 << 20]).unwrap();
        let error = scratch.write_all(&vec![7; 64 << 20]).unwrap_err();
        assert!(matches!(Error::scratch(error), Error::NoSpace { .. }));
        drop(scratch);
        space.reserve(20 << 20).unwrap();
    }
}
