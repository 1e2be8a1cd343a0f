//! Temporary files for the redactor, on the store's disk and within its free space.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use gateway_redact::{Scratch, Spool};

use crate::space::{Space, SpaceReservation};
use crate::work_folder::WorkFolder;

/// Makes temporary files in a work folder.
pub(crate) struct ScratchFiles<'a> {
    folder: &'a WorkFolder,
    space: &'a Arc<Space>,
}

impl<'a> ScratchFiles<'a> {
    pub(crate) fn new(folder: &'a WorkFolder, space: &'a Arc<Space>) -> Self {
        Self { folder, space }
    }
}

impl Scratch for ScratchFiles<'_> {
    fn create(&mut self) -> io::Result<Box<dyn Spool>> {
        let space = self.space.reserve(0).map_err(io::Error::other)?;
        let file = self.folder.scratch()?;
        Ok(Box::new(ScratchFile { file, space }))
    }
}

/// A file without a name. Its bytes never go into the space that must stay free or is promised to others.
struct ScratchFile {
    file: File,
    space: SpaceReservation,
}

impl Write for ScratchFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.space
            .cover(bytes.len() as u64)
            .map_err(io::Error::other)?;
        let written = self.file.write(bytes)?;
        self.space.spend(written as u64);
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

    #[test]
    fn scratch_files_leave_free_what_must_stay_free() {
        let space = Arc::new(Space::new(100 << 20, || Ok(120 << 20)));
        let mut scratch = ScratchFile {
            file: tempfile::tempfile().unwrap(),
            space: space.reserve(0).unwrap(),
        };
        scratch.write_all(&vec![7; 1 << 20]).unwrap();
        let error = scratch.write_all(&vec![7; 64 << 20]).unwrap_err();
        let error = Error::from(gateway_redact::Error::Scratch(error));
        assert!(matches!(error, Error::NoSpace { .. }), "{error}");
        drop(scratch);
        space.reserve(20 << 20).unwrap();
    }
}
