//! The store's directory: private, held by one gateway, the place of all published files.
//!
//! Everything outside this file asks for whole objects by name: a later store in object storage can take its place.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::path::{Component, Path, PathBuf};

use gateway_files::{PrivateFolder, Refusal};
use parking_lot::Mutex;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::file_status::FileStatus;
use crate::{Error, tree};

const LOCK: &str = ".lock";
const INCOMING: &str = ".incoming";
const PROBE: (&str, &str) = (".probe", ".probe-renamed");
/// A small file before it is published.
const UNPUBLISHED: &str = "small";

/// The store's directory, reached through its descriptor, so that no later change of a path can lead elsewhere.
#[derive(Debug)]
pub(crate) struct Directory {
    folder: PrivateFolder,
    incoming: PrivateFolder,
    probing: Mutex<()>,
    _lock: File,
}

/// The reason why a name gives nothing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Nothing has this name.
    Absent,
    /// It is not a regular file, or this process may not read it.
    NotAFile,
}

impl Directory {
    /// Makes the directory if it is absent, checks it and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let folder = PrivateFolder::ensure(&checked(path)?)?;
        let lock = lock(&folder)?;
        let incoming = folder.ensure_folder(INCOMING)?;
        Ok(Self {
            folder,
            incoming,
            probing: Mutex::new(()),
            _lock: lock,
        })
    }

    /// Its absolute path.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The path of the published file `name`.
    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.folder.path_of(name)
    }

    /// The folder of unpublished work.
    pub(crate) fn incoming(&self) -> &PrivateFolder {
        &self.incoming
    }

    /// The bytes that are free for ordinary users on its file system.
    pub(crate) fn free(&self) -> Result<u64, Error> {
        let stat = rustix::fs::fstatvfs(&self.folder)
            .map_err(Error::io("get the free space of", self.path()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Makes all that was published or removed so far durable.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        Ok(self.folder.sync()?)
    }

    /// Removes the published file `name`, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        Ok(self.folder.remove(name)?)
    }

    /// Moves the synced file `name` from `work` to its published name; `false` if that is taken. Not durable before
    /// [`Directory::sync`].
    pub(crate) fn publish(
        &self,
        work: &PrivateFolder,
        name: &str,
        published: &str,
    ) -> Result<bool, Error> {
        match work.rename_new(name, &self.folder, published) {
            Err(gateway_files::Error::Exists { .. }) => Ok(false),
            renamed => Ok(renamed.map(|()| true)?),
        }
    }

    /// Moves the published file back into `work`, in place of what has that name there.
    pub(crate) fn withdraw(
        &self,
        published: &str,
        work: &PrivateFolder,
        name: &str,
    ) -> Result<(), Error> {
        Ok(self.folder.rename_over(published, work, name)?)
    }

    /// Publishes a small file durably, unless the name is taken. The caller is alone in changing the store.
    pub(crate) fn write_small(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.incoming.replace(UNPUBLISHED, bytes)?;
        self.publish(&self.incoming, UNPUBLISHED, name)?;
        self.sync()
    }

    /// The names of all published files in order, without those that are not UTF-8: they are not the store's.
    pub(crate) fn names(&self) -> Result<Vec<String>, Error> {
        let names = tree::names(self.folder.as_fd()).map_err(Error::io("list", self.path()))?;
        let mut names: Vec<_> = names
            .into_iter()
            .filter_map(|name| name.to_str().ok().map(str::to_owned))
            .collect();
        names.sort();
        Ok(names)
    }

    /// The properties of the published file `name`, without following a symlink; `None` if nothing has the name.
    pub(crate) fn status(&self, name: &str) -> Result<Option<FileStatus>, Error> {
        let stat = rustix::fs::statat(self.folder.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW);
        match stat {
            Err(Errno::NOENT) => Ok(None),
            stat => {
                let stat = stat.map_err(Error::io("inspect", &self.path_of(name)))?;
                Ok(Some(FileStatus::from(&stat)))
            }
        }
    }

    /// Opens the published file `name`: not what a symlink names, and only if it is a regular file.
    pub(crate) fn open_file(
        &self,
        name: &str,
    ) -> Result<Result<(File, FileStatus), Unreadable>, Error> {
        let file = match self.folder.open_file(name) {
            Ok(file) => file,
            Err(error) => return unreadable(error).map(Err),
        };
        let meta = file
            .metadata()
            .map_err(Error::io("inspect", &self.path_of(name)))?;
        Ok(Ok((file, FileStatus::from(&meta))))
    }

    /// The contents of a small published file; `None` if it has more than `max` bytes.
    pub(crate) fn read_small(
        &self,
        name: &str,
        max: u64,
    ) -> Result<Result<Option<Vec<u8>>, Unreadable>, Error> {
        match self.folder.read(name, max) {
            Ok(text) => Ok(Ok(Some(text))),
            Err(gateway_files::Error::TooLarge { .. }) => Ok(Ok(None)),
            Err(error) => unreadable(error).map(Err),
        }
    }

    /// Removes the published file or folder `name`, and returns how many bytes its regular files had.
    pub(crate) fn remove_tree(&self, name: &str) -> Result<u64, Error> {
        let removed = tree::remove_named(self.folder.as_fd(), name);
        removed.map_err(Error::io("remove", &self.path_of(name)))
    }

    /// Checks that its path still leads here, and that a file can be written and renamed as publishing does it.
    pub(crate) fn probe(&self) -> Result<(), Error> {
        let _alone = self.probing.lock();
        check_identity(&self.folder, self.path())?;
        check_identity(&self.incoming, self.path())?;
        let (name, renamed) = PROBE;
        self.incoming.remove(name)?;
        self.incoming.remove(renamed)?;
        let mut file = self.incoming.create(name)?;
        std::io::Write::write_all(&mut file, b"probe")
            .map_err(Error::io("write", &self.incoming.path_of(name)))?;
        self.incoming.rename_new(name, &self.incoming, renamed)?;
        Ok(self.incoming.remove(renamed)?)
    }
}

fn unreadable(error: gateway_files::Error) -> Result<Unreadable, Error> {
    match error {
        error if error.is_not_found() => Ok(Unreadable::Absent),
        gateway_files::Error::Refused {
            reason: Refusal::NotAFile,
            ..
        } => Ok(Unreadable::NotAFile),
        gateway_files::Error::Io { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
            Ok(Unreadable::NotAFile)
        }
        error => Err(error.into()),
    }
}

/// `path` without trailing slashes, if it is one that a runtime can be given.
fn checked(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_absolute() {
        return Err(refusal(path, "its path is not absolute"));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(refusal(path, "its path contains `..`"));
    }
    if path.to_str().is_none() {
        return Err(refusal(path, "its path is not UTF-8, which CRI demands"));
    }
    Ok(path.components().collect())
}

/// The lock ends with its descriptor, so a crash leaves none behind.
fn lock(folder: &PrivateFolder) -> Result<File, Error> {
    let path = folder.path_of(LOCK);
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(folder.as_fd(), LOCK, flags, Mode::RUSR | Mode::WUSR)
        .map_err(Error::io("open", &path))?;
    let file = File::from(fd);
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { path }),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

fn check_identity(folder: &PrivateFolder, store: &Path) -> Result<(), Error> {
    let path = folder.path();
    let at_path = rustix::fs::lstat(path).map_err(Error::io("inspect", path))?;
    let ours = rustix::fs::fstat(folder).map_err(Error::io("inspect", path))?;
    if (at_path.st_dev, at_path.st_ino) == (ours.st_dev, ours.st_ino) {
        return Ok(());
    }
    Err(refusal(store, "it was replaced while in use"))
}

fn refusal(path: &Path, reason: &str) -> Error {
    Error::Directory {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
