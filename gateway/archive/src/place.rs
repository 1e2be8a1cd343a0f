use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_core::CheckpointId;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::directory::{self, PRIVATE_FILE};
use crate::store::Inner;
use crate::{Error, tree};

/// What the runtime is told to write.
pub(crate) const LOCATION: &str = "archive";
/// What came through it.
pub(crate) const RECEIVED: &str = "archive.tar";

/// What the runtime wrote, where that is kept beside what is redacted.
pub(crate) const ORIGINAL: &str = "original";

/// What a redactor keeps for a while, before it loses its name.
const SCRATCH: &str = "scratch";

/// The private directory of one archive that is not published. Dropped, it is gone with all that is in it.
#[derive(Debug)]
pub(crate) struct Place {
    inner: Arc<Inner>,
    name: CString,
    fd: OwnedFd,
    path: PathBuf,
    location: PathBuf,
}

impl Place {
    pub(crate) fn make(inner: Arc<Inner>, id: CheckpointId) -> Result<Self, Error> {
        let name = id.to_string();
        let path = inner.directory.incoming_path().join(&name);
        let fd = directory::make(inner.directory.incoming(), &name, &path)?;
        let location = path.join(LOCATION);
        // Never fails: an id has no NUL.
        let name = CString::new(name).unwrap_or_default();
        Ok(Self {
            inner,
            name,
            fd,
            path,
            location,
        })
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The path of `name` in it.
    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What the runtime is told to write.
    pub(crate) fn location(&self) -> &Path {
        &self.location
    }

    /// A new private file in it.
    pub(crate) fn create(&self, name: &str) -> Result<File, Error> {
        directory::create(self.fd(), name, &self.path_of(name))
    }

    /// A new private file that has no name any more.
    pub(crate) fn scratch(&self) -> io::Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, SCRATCH, flags, PRIVATE_FILE)?;
        rustix::fs::unlinkat(&self.fd, SCRATCH, AtFlags::empty())?;
        Ok(File::from(fd))
    }

    /// Removes the file `name`, which is not needed any more; what cannot be removed now goes with the place.
    pub(crate) fn remove(&self, name: &str) {
        let _ = rustix::fs::unlinkat(&self.fd, name, AtFlags::empty());
    }

    /// The size of the regular file at the location; `None` if there is none, or something else.
    pub(crate) fn regular_file(&self) -> Option<u64> {
        let stat = rustix::fs::statat(&self.fd, LOCATION, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        is_regular(&stat).then(|| u64::try_from(stat.st_size).unwrap_or_default())
    }

    /// Opens what the runtime left at the location, if it is a file that nothing else names, and makes it private.
    pub(crate) fn open_location(&self) -> Result<(File, Stat), Error> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&self.fd, LOCATION, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Err(Error::Empty),
            Err(Errno::LOOP | Errno::NXIO) => return Err(self.not_a_file()),
            opened => opened.map_err(Error::io("open", &self.location))?,
        };
        let stat = rustix::fs::fstat(&fd).map_err(Error::io("look at", &self.location))?;
        if !is_regular(&stat) || stat.st_nlink != 1 {
            return Err(self.not_a_file());
        }
        rustix::fs::fchmod(&fd, PRIVATE_FILE).map_err(Error::io("make private", &self.location))?;
        Ok((File::from(fd), stat))
    }

    fn not_a_file(&self) -> Error {
        Error::NotAFile {
            path: self.location.clone(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What cannot be removed now is removed when the store is next opened.
        let _ = tree::remove(self.inner.directory.incoming(), &self.name);
    }
}

fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}
