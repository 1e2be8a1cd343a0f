//! The private folder of one archive that is not published yet.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_core::CheckpointId;
use gateway_files::PrivateFolder;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::directory::Directory;
use crate::{Error, tree};

/// The file that the runtime writes.
pub(crate) const LOCATION: &str = "archive";
/// The bytes that came through a FIFO.
pub(crate) const RECEIVED: &str = "archive.tar";
/// The archive before redaction, where it is kept.
pub(crate) const ORIGINAL: &str = "original";

/// The private folder of one archive that is not published. Dropped, it is removed with everything in it.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    directory: Arc<Directory>,
    name: CString,
    folder: PrivateFolder,
    location: PathBuf,
}

impl WorkFolder {
    pub(crate) fn create(directory: Arc<Directory>, id: CheckpointId) -> Result<Self, Error> {
        let name = id.to_string();
        let folder = directory.incoming().make_folder(&name)?;
        let location = folder.path_of(LOCATION);
        // Never fails: an id has no NUL.
        let name = CString::new(name).unwrap_or_default();
        Ok(Self {
            directory,
            name,
            folder,
            location,
        })
    }

    /// The store's directory.
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The open folder.
    pub(crate) fn folder(&self) -> &PrivateFolder {
        &self.folder
    }

    /// The path of `name` in it.
    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.folder.path_of(name)
    }

    /// The path of the file that the runtime writes.
    pub(crate) fn location(&self) -> &Path {
        &self.location
    }

    /// Creates a private file in it.
    pub(crate) fn create_file(&self, name: &str) -> Result<File, Error> {
        Ok(self.folder.create(name)?)
    }

    /// Creates a private file without a name.
    pub(crate) fn scratch(&self) -> io::Result<File> {
        Ok(self.folder.scratch()?)
    }

    /// Removes a file that is not needed any more. If that fails, it is removed with the folder.
    pub(crate) fn remove(&self, name: &str) {
        let _ = self.folder.remove(name);
    }

    /// The size of the regular file at the location; `None` if there is none, or something else.
    pub(crate) fn regular_file(&self) -> Option<u64> {
        let stat = rustix::fs::statat(&self.folder, LOCATION, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        is_regular(&stat).then(|| u64::try_from(stat.st_size).unwrap_or_default())
    }

    /// Opens the file that the runtime left at the location, if nothing else names it, and makes it private.
    pub(crate) fn open_location(&self) -> Result<(File, Stat), Error> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&self.folder, LOCATION, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Err(Error::Empty),
            Err(Errno::LOOP | Errno::NXIO) => return Err(self.not_a_file()),
            opened => opened.map_err(Error::io("open", &self.location))?,
        };
        let stat = rustix::fs::fstat(&fd).map_err(Error::io("inspect", &self.location))?;
        if !is_regular(&stat) || stat.st_nlink != 1 {
            return Err(self.not_a_file());
        }
        rustix::fs::fchmod(&fd, Mode::RUSR | Mode::WUSR)
            .map_err(Error::io("make private", &self.location))?;
        Ok((File::from(fd), stat))
    }

    fn not_a_file(&self) -> Error {
        Error::NotAFile {
            path: self.location.clone(),
        }
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // The next start removes a folder that cannot be removed now.
        let _ = tree::remove(self.directory.incoming().as_fd(), &self.name);
    }
}

fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}
