//! A folder that only this user may enter, reached through its descriptor.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::new_file::{NewFile, create_private, nameless};
use crate::read::{check_mode, check_regular, read_bounded};
use crate::{Error, Refusal, sync_parent};

const PRIVATE_FOLDER: Mode = Mode::RWXU;

/// The folder itself, not what a symlink names.
const OPEN_FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// An open folder that belongs to this user and lets neither group nor others in. All in it is reached through its
/// descriptor, so no later change of its path leads elsewhere. Names are single path components.
#[derive(Debug)]
pub struct PrivateFolder {
    fd: OwnedFd,
    path: PathBuf,
}

/// Makes the folder `path` and every missing parent, each 0700, durably. Returns those it made, outermost first.
pub fn make_private_folders(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let missing = path
        .ancestors()
        .filter(|folder| *folder != Path::new(""))
        .take_while(|folder| matches!(folder.try_exists(), Ok(false)));
    let missing: Vec<_> = missing.map(Path::to_owned).collect();
    let mut made = Vec::new();
    for folder in missing.into_iter().rev() {
        match rustix::fs::mkdir(&folder, PRIVATE_FOLDER) {
            Ok(()) => sync_parent(&folder)?,
            // Another process was faster.
            Err(Errno::EXIST) => continue,
            Err(error) => return Err(Error::io("make the folder", &folder)(error)),
        }
        made.push(folder);
    }
    Ok(made)
}

impl PrivateFolder {
    /// Opens a folder and checks it.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not a folder, is a symlink, belongs to another user or is open to group or others.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_at(CWD, path, path)
    }

    /// Makes the folder (0700) if it is not there, and opens it. Its parent must be there.
    pub fn ensure(path: &Path) -> Result<Self, Error> {
        make_at(CWD, path, path, true)?;
        Self::open(path)
    }

    /// The path by which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `name` in it.
    pub fn path_of(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.path.join(name.as_ref())
    }

    /// Opens the folder `name` in it and checks it as [`PrivateFolder::open`] does.
    pub fn open_folder(&self, name: impl AsRef<OsStr>) -> Result<Self, Error> {
        let name = name.as_ref();
        Self::open_at(self.fd.as_fd(), Path::new(name), &self.path_of(name))
    }

    /// Makes the new folder `name` in it (0700); an error if the name is taken.
    pub fn make_folder(&self, name: impl AsRef<OsStr>) -> Result<Self, Error> {
        let name = name.as_ref();
        make_at(self.fd.as_fd(), Path::new(name), &self.path_of(name), false)?;
        self.open_folder(name)
    }

    /// Makes the folder `name` in it (0700) if it is not there, and opens it.
    pub fn ensure_folder(&self, name: impl AsRef<OsStr>) -> Result<Self, Error> {
        let name = name.as_ref();
        make_at(self.fd.as_fd(), Path::new(name), &self.path_of(name), true)?;
        self.open_folder(name)
    }

    /// Creates the private file `name` in it, open for reading and writing; an error if the name is taken, by a symlink
    /// too. It is visible at once: for a file that must be whole, use [`PrivateFolder::new_file`].
    pub fn create(&self, name: impl AsRef<OsStr>) -> Result<File, Error> {
        let name = name.as_ref();
        match create_private(self.fd.as_fd(), name) {
            Err(Errno::EXIST) => Err(Error::exists(&self.path_of(name))),
            created => created.map_err(Error::io("create", &self.path_of(name))),
        }
    }

    /// Creates a private file without a name. It exists until it is closed.
    pub fn scratch(&self) -> Result<File, Error> {
        nameless(self.fd.as_fd()).map_err(Error::io("create a scratch file in", &self.path))
    }

    /// Begins a file that gets the name `name` in it once it is whole.
    pub fn new_file(&self, name: impl AsRef<OsStr>) -> Result<NewFile, Error> {
        let name = name.as_ref();
        let folder = self.fd.try_clone().map_err(Error::io("open", &self.path))?;
        NewFile::create_in(folder, name, &self.path_of(name))
    }

    /// Writes the new private file `name` durably; [`Error::Exists`] if the name is taken.
    pub fn write_new(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> Result<(), Error> {
        self.written(name.as_ref(), bytes)?.publish()
    }

    /// Writes the private file `name` durably, in place of what had the name.
    pub fn replace(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> Result<(), Error> {
        self.written(name.as_ref(), bytes)?.replace()
    }

    /// Opens the regular file `name` for reading; a symlink, FIFO or folder is refused without waiting.
    pub fn open_file(&self, name: impl AsRef<OsStr>) -> Result<File, Error> {
        let name = name.as_ref();
        let path = self.path_of(name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Err(Errno::LOOP | Errno::NXIO) => return Err(Error::refused(&path, Refusal::NotAFile)),
            opened => File::from(opened.map_err(Error::io("open", &path))?),
        };
        check_regular(&file, &path)?;
        Ok(file)
    }

    /// The contents of the regular file `name`; [`Error::TooLarge`] if it has more than `max` bytes.
    pub fn read(&self, name: impl AsRef<OsStr>, max: u64) -> Result<Vec<u8>, Error> {
        let name = name.as_ref();
        read_bounded(self.open_file(name)?, &self.path_of(name), max)
    }

    /// Like [`PrivateFolder::read`], but refuses a file that this user did not certainly write: one of another owner, open
    /// to group or others, or with a second name.
    pub fn read_private(&self, name: impl AsRef<OsStr>, max: u64) -> Result<Vec<u8>, Error> {
        let name = name.as_ref();
        let path = self.path_of(name);
        let file = self.open_file(name)?;
        let meta = file.metadata().map_err(Error::io("inspect", &path))?;
        check_owner(meta.uid())
            .and_then(|()| check_mode(meta.mode()))
            .and_then(|()| check_single_name(meta.nlink()))
            .map_err(|reason| Error::refused(&path, reason))?;
        read_bounded(file, &path, max)
    }

    /// Moves a file or folder into another folder; [`Error::Exists`] if `new_name` is taken there. Not durable before
    /// [`PrivateFolder::sync`] of the target.
    pub fn rename_new(
        &self,
        name: impl AsRef<OsStr>,
        target: &Self,
        new_name: impl AsRef<OsStr>,
    ) -> Result<(), Error> {
        let (from, to) = (name.as_ref(), new_name.as_ref());
        match rustix::fs::renameat_with(&self.fd, from, &target.fd, to, RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => Err(Error::exists(&target.path_of(to))),
            renamed => renamed.map_err(Error::io("rename", &self.path_of(from))),
        }
    }

    /// Moves a file into another folder, in place of what has that name there. Not durable before
    /// [`PrivateFolder::sync`] of the target.
    pub fn rename_over(
        &self,
        name: impl AsRef<OsStr>,
        target: &Self,
        new_name: impl AsRef<OsStr>,
    ) -> Result<(), Error> {
        let from = name.as_ref();
        rustix::fs::renameat(&self.fd, from, &target.fd, new_name.as_ref())
            .map_err(Error::io("rename", &self.path_of(from)))
    }

    /// Removes the file `name`, if it is there. Not durable before [`PrivateFolder::sync`].
    pub fn remove(&self, name: impl AsRef<OsStr>) -> Result<(), Error> {
        let name = name.as_ref();
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(Error::io("remove", &self.path_of(name))(error)),
        }
    }

    /// Makes every change of names in it durable.
    pub fn sync(&self) -> Result<(), Error> {
        rustix::fs::fsync(&self.fd).map_err(Error::io("sync", &self.path))
    }

    fn written(&self, name: &OsStr, bytes: &[u8]) -> Result<NewFile, Error> {
        let mut file = self.new_file(name)?;
        let written = file.write_all(bytes);
        written.map_err(Error::io("write", &self.path_of(name)))?;
        Ok(file)
    }

    fn open_at(parent: BorrowedFd<'_>, name: &Path, path: &Path) -> Result<Self, Error> {
        // A trailing slash would make the last part follow a symlink.
        let name: PathBuf = name.components().collect();
        let fd = match rustix::fs::openat(parent, &name, OPEN_FOLDER, Mode::empty()) {
            Err(Errno::NOTDIR | Errno::LOOP) => {
                return Err(Error::refused(path, Refusal::NotAFolder));
            }
            opened => opened.map_err(Error::io("open", path))?,
        };
        let stat = rustix::fs::fstat(&fd).map_err(Error::io("inspect", path))?;
        check_owner(stat.st_uid)
            .and_then(|()| check_mode(stat.st_mode))
            .map_err(|reason| Error::refused(path, reason))?;
        let path = path.to_owned();
        Ok(Self { fd, path })
    }
}

impl AsFd for PrivateFolder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn make_at(parent: BorrowedFd<'_>, name: &Path, path: &Path, may_exist: bool) -> Result<(), Error> {
    match rustix::fs::mkdirat(parent, name, PRIVATE_FOLDER) {
        Err(Errno::EXIST) if may_exist => Ok(()),
        Err(Errno::EXIST) => Err(Error::exists(path)),
        made => made.map_err(Error::io("make the folder", path)),
    }
}

fn check_owner(owner: u32) -> Result<(), Refusal> {
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(Refusal::OtherOwner)
}

fn check_single_name(names: u64) -> Result<(), Refusal> {
    if names == 1 {
        return Ok(());
    }
    Err(Refusal::Linked)
}
