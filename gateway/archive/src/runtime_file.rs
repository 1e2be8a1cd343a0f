//! An archive that the runtime wrote as a file of its own.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::{self, Builder};

use gateway_core::Transport;
use rustix::fs::Stat;

use crate::Error;
use crate::bounds::Bounds;
use crate::drain::{Drained, drain};
use crate::output::Output;
use crate::sink::Discard;
use crate::space::SpaceReservation;
use crate::step::{Step, StepFile, Steps};
use crate::whole_archive::WholeArchive;
use crate::work_folder::{LOCATION, WorkFolder};

/// The file that the runtime left at its location, with its state before it was read.
pub(crate) struct RuntimeFile {
    pub(crate) file: File,
    before: Stat,
    path: PathBuf,
}

impl RuntimeFile {
    /// Opens the file and makes it private.
    pub(crate) fn open(folder: &WorkFolder) -> Result<Self, Error> {
        let (file, before) = folder.open_location()?;
        Ok(Self {
            file,
            before,
            path: folder.location().to_owned(),
        })
    }

    /// Checks that nobody wrote to it while `read` bytes of it were read.
    ///
    /// # Errors
    /// [`Error::Changed`] where its length or its time of modification differs.
    pub(crate) fn check_unchanged(&self, read: u64) -> Result<(), Error> {
        let after = rustix::fs::fstat(&self.file).map_err(Error::io("inspect", &self.path))?;
        let written_at = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec);
        let same_length = u64::try_from(after.st_size) == Ok(read);
        if same_length && written_at(&self.before) == written_at(&after) {
            return Ok(());
        }
        Err(Error::Changed {
            path: self.path.clone(),
        })
    }

    /// Takes the file as it is: one pass for the digest while the disk writes it, no copy.
    pub(crate) fn into_archive(
        mut self,
        space: SpaceReservation,
        bounds: Bounds,
        steps: &Steps,
    ) -> Result<WholeArchive, Error> {
        let drained = digest_and_sync(&mut self.file, bounds, &self.path, steps)?;
        let sha256 = drained.outcome?;
        self.check_unchanged(drained.bytes)?;
        Ok(WholeArchive {
            file: self.file,
            name: LOCATION,
            bytes: drained.bytes,
            sha256,
            transport: Transport::File,
            redaction: None,
            findings: Vec::new(),
            original: None,
            space,
        })
    }
}

fn digest_and_sync(
    file: &mut File,
    bounds: Bounds,
    path: &Path,
    steps: &Steps,
) -> Result<Drained, Error> {
    let unsynced = file.try_clone().map_err(Error::io("open", path))?;
    let output = Output::start(Discard, path, steps, StepFile::Archive)?;
    let receive = steps.watch(Step::Receive, StepFile::Archive);
    let mut watch = steps.watch(Step::Sync, StepFile::Archive);
    thread::scope(|scope| {
        let sync = Builder::new()
            .name("archive-sync".to_owned())
            .spawn_scoped(scope, move || watch.time(|| unsynced.sync_data()));
        let moved = drain(file, &output, bounds, path, receive);
        let drained = moved.conclude(output.finish().sha256);
        // The system reports a failed write to one sync only, so this one's result counts.
        let synced = sync.and_then(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
        });
        synced.map(|()| drained).map_err(Error::io("sync", path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::{Duration, SystemTime};

    #[test]
    fn notices_writes_while_the_file_is_read() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"1234").unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let runtimes = RuntimeFile {
            before: rustix::fs::fstat(&file).unwrap(),
            file: file.try_clone().unwrap(),
            path: "archive".into(),
        };
        runtimes.check_unchanged(4).unwrap();
        let appended = runtimes.check_unchanged(3);
        assert!(matches!(appended, Err(Error::Changed { .. })));
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_nanos(1))
            .unwrap();
        let overwritten = runtimes.check_unchanged(4);
        assert!(matches!(overwritten, Err(Error::Changed { .. })));
    }
}
