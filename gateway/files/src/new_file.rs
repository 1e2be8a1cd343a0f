//! A file that nobody sees before it is whole and durable.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::{Error, parent};

pub(crate) const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// The number of temporary names that are tried. Leftovers of a crash may have some.
const ATTEMPTS: u32 = 64;

/// A file without a name, in the folder where it will get one. Dropped or killed before it is published, nothing is left.
///
/// Where the file system cannot name an open file (`O_TMPFILE`, `linkat`), the bytes are copied into a temporary name
/// when all of them are there; only a crash during that copy leaves a file behind, hidden and private.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    folder: OwnedFd,
    name: OsString,
    path: PathBuf,
    mode: Mode,
}

/// Writes a new private file (0600) durably; [`Error::Exists`] if the name is taken.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = NewFile::create(path)?;
    file.write_whole(bytes)?;
    file.publish()
}

/// Writes a private file (0600) durably. Whoever opens `path` meanwhile finds the old file or the new one, whole.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = NewFile::create(path)?;
    file.write_whole(bytes)?;
    file.replace()
}

impl NewFile {
    /// Begins a private file (0600) that is to be called `path`. The folder must be there.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let folder = parent(path);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(CWD, folder, flags, Mode::empty())
            .map_err(Error::io("open", folder))?;
        // Publishing under `..` or `/` fails: those names are always taken.
        let name = path.file_name().unwrap_or(OsStr::new("."));
        Self::create_in(fd, name, path)
    }

    pub(crate) fn create_in(folder: OwnedFd, name: &OsStr, path: &Path) -> Result<Self, Error> {
        let file = nameless(folder.as_fd()).map_err(Error::io("create a file for", path))?;
        Ok(Self {
            file,
            folder,
            name: name.to_owned(),
            path: path.to_owned(),
            mode: PRIVATE_FILE,
        })
    }

    /// Gives the file another mode than 0600 when it is published, such as 0644 for what others are to read.
    #[must_use]
    pub fn with_mode(mut self, mode: u32) -> Self {
        self.mode = Mode::from_raw_mode(mode);
        self
    }

    /// The open file, for reading, writing and seeking.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Syncs the file and gives it its name durably; [`Error::Exists`] if the name is taken, by a symlink too.
    pub fn publish(mut self) -> Result<(), Error> {
        self.finish()?;
        match self.link(&self.name) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Err(Error::exists(&self.path)),
            Err(_) => {
                let temporary = self.copy()?;
                self.rename(&temporary, RenameFlags::NOREPLACE)?;
            }
        }
        self.sync_folder()
    }

    /// Syncs the file and gives it its name durably, in place of what had it. A symlink is replaced, not followed.
    pub fn replace(mut self) -> Result<(), Error> {
        self.finish()?;
        let temporary = match self.link_temporary()? {
            Some(temporary) => temporary,
            None => self.copy()?,
        };
        self.rename(&temporary, RenameFlags::empty())?;
        self.sync_folder()
    }

    fn write_whole(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(bytes);
        written.map_err(Error::io("write", &self.path))
    }

    fn finish(&mut self) -> Result<(), Error> {
        rustix::fs::fchmod(&self.file, self.mode)
            .map_err(Error::io("set the mode of", &self.path))?;
        self.file.sync_all().map_err(Error::io("sync", &self.path))
    }

    /// Gives the nameless file a name, as `open(2)` describes it under `O_TMPFILE`.
    fn link(&self, name: &OsStr) -> Result<(), Errno> {
        let nameless = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        rustix::fs::linkat(CWD, nameless, &self.folder, name, AtFlags::SYMLINK_FOLLOW)
    }

    /// Gives the file a temporary name; `None` where that needs a copy.
    fn link_temporary(&self) -> Result<Option<OsString>, Error> {
        for name in temporary_names() {
            match self.link(&name) {
                Ok(()) => return Ok(Some(name)),
                Err(Errno::EXIST) => {}
                Err(_) => return Ok(None),
            }
        }
        Err(self.no_temporary_name())
    }

    /// Copies the file into a new one with a temporary name, synced.
    fn copy(&mut self) -> Result<OsString, Error> {
        for name in temporary_names() {
            let mut copy = match create_private(self.folder.as_fd(), &name) {
                Err(Errno::EXIST) => continue,
                created => created.map_err(Error::io("create a file for", &self.path))?,
            };
            let copied = self.file.seek(SeekFrom::Start(0)).and_then(|_| {
                io::copy(&mut self.file, &mut copy)?;
                rustix::fs::fchmod(&copy, self.mode)?;
                copy.sync_all()
            });
            return match copied {
                Ok(()) => Ok(name),
                Err(error) => {
                    self.remove(&name);
                    Err(Error::io("write", &self.path)(error))
                }
            };
        }
        Err(self.no_temporary_name())
    }

    fn rename(&self, temporary: &OsStr, flags: RenameFlags) -> Result<(), Error> {
        let (folder, name) = (&self.folder, &self.name);
        let renamed = rustix::fs::renameat_with(folder, temporary, folder, name, flags);
        if renamed.is_err() {
            self.remove(temporary);
        }
        match renamed {
            Err(Errno::EXIST) => Err(Error::exists(&self.path)),
            renamed => renamed.map_err(Error::io("create", &self.path)),
        }
    }

    fn remove(&self, temporary: &OsStr) {
        // A file that stays is hidden and private, and later files take other names.
        let _ = rustix::fs::unlinkat(&self.folder, temporary, AtFlags::empty());
    }

    fn sync_folder(&self) -> Result<(), Error> {
        rustix::fs::fsync(&self.folder).map_err(Error::io("sync", parent(&self.path)))
    }

    fn no_temporary_name(&self) -> Error {
        Error::io("find a temporary name for", &self.path)(Errno::EXIST)
    }
}

impl Read for NewFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn temporary_names() -> impl Iterator<Item = OsString> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let process = std::process::id();
    (0..ATTEMPTS).map(move |_| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        format!(".new-{process}-{number}").into()
    })
}

/// A new private file in `folder`; an error if the name is taken, by a symlink too.
pub(crate) fn create_private(folder: BorrowedFd<'_>, name: &OsStr) -> Result<File, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, PRIVATE_FILE).map(File::from)
}

/// A private file in `folder` without a name.
pub(crate) fn nameless(folder: BorrowedFd<'_>) -> Result<File, Errno> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match rustix::fs::openat(folder, ".", flags, PRIVATE_FILE) {
        // By open(2): the file system cannot, or the kernel takes it for a folder that is opened for writing.
        Err(Errno::OPNOTSUPP | Errno::ISDIR) => unlinked(folder),
        opened => opened.map(File::from),
    }
}

/// The same on a file system without `O_TMPFILE`: the name is removed at once.
fn unlinked(folder: BorrowedFd<'_>) -> Result<File, Errno> {
    for attempt in 0..ATTEMPTS {
        let name = format!(".unlinked-{}-{attempt}", std::process::id());
        match create_private(folder, OsStr::new(&name)) {
            Err(Errno::EXIST) => {}
            created => {
                let file = created?;
                rustix::fs::unlinkat(folder, name, AtFlags::empty())?;
                return Ok(file);
            }
        }
    }
    Err(Errno::EXIST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishes_where_an_open_file_cannot_be_named() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("out");
        let unnamed = || {
            let mut new = NewFile::create(&path).unwrap();
            // A file that had a name once cannot be linked again.
            new.file = unlinked(new.folder.as_fd()).unwrap();
            new.write_all(b"whole").unwrap();
            new
        };
        unnamed().publish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert!(matches!(unnamed().publish(), Err(Error::Exists { .. })));
        std::fs::write(&path, "old").unwrap();
        unnamed().replace().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
