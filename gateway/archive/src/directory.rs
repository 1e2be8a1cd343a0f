use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use crate::Error;

const LOCK: &str = ".lock";
const INCOMING: &str = ".incoming";
const PROBE: (&str, &str) = (".probe", ".probe-renamed");

pub(crate) const PRIVATE_DIRECTORY: Mode = Mode::RWXU;
pub(crate) const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// How a directory is opened: itself, never what a symlink names.
const OPEN: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// The store's directory: ours, private, and held by no other gateway. Everything in it is reached through its
/// descriptor, so that no later change of a path can lead elsewhere.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    fd: OwnedFd,
    incoming: OwnedFd,
    incoming_path: PathBuf,
    probing: Mutex<()>,
    _lock: OwnedFd,
}

impl Directory {
    /// Makes the directory if it is absent, checks it and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let path = plain(path)?;
        match rustix::fs::mkdir(&path, PRIVATE_DIRECTORY) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(Error::io("make the directory", &path)(error)),
        }
        let fd = open_private(rustix::fs::CWD, &path, &path)?;
        let lock = lock(fd.as_fd(), &path.join(LOCK))?;
        let incoming_path = path.join(INCOMING);
        match rustix::fs::mkdirat(&fd, INCOMING, PRIVATE_DIRECTORY) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(Error::io("make the directory", &incoming_path)(error)),
        }
        let incoming = open_private(fd.as_fd(), Path::new(INCOMING), &incoming_path)?;
        Ok(Self {
            path,
            fd,
            incoming,
            incoming_path,
            probing: Mutex::new(()),
            _lock: lock,
        })
    }

    /// Its absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where published archives are.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Where unpublished work is.
    pub(crate) fn incoming(&self) -> BorrowedFd<'_> {
        self.incoming.as_fd()
    }

    /// The path of the place for unpublished work.
    pub(crate) fn incoming_path(&self) -> &Path {
        &self.incoming_path
    }

    /// What is free for ordinary users on its filesystem, in bytes.
    pub(crate) fn free(&self) -> Result<u64, Error> {
        let stat = rustix::fs::fstatvfs(&self.fd)
            .map_err(Error::io("ask for the free space of", &self.path))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Makes what was published or removed last.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        rustix::fs::fsync(&self.fd).map_err(Error::io("sync", &self.path))
    }

    /// Removes the published file `name`, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(Error::io("remove", &self.path.join(name))(error)),
        }
    }

    /// Whether its path still leads here and a file can be written and renamed as publishing does it.
    pub(crate) fn probe(&self) -> Result<(), Error> {
        let _alone = self.probing.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_identity(&self.path, &self.fd)?;
        self.check_identity(&self.incoming_path, &self.incoming)?;
        let (name, renamed) = PROBE;
        let path = self.incoming_path.join(name);
        for leftover in [name, renamed] {
            match rustix::fs::unlinkat(&self.incoming, leftover, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(Error::io("remove", &path)(error)),
            }
        }
        let mut file = create(self.incoming(), name, &path)?;
        std::io::Write::write_all(&mut file, b"probe").map_err(Error::io("write", &path))?;
        rustix::fs::renameat_with(
            &self.incoming,
            name,
            &self.incoming,
            renamed,
            RenameFlags::NOREPLACE,
        )
        .map_err(Error::io("rename", &path))?;
        rustix::fs::unlinkat(&self.incoming, renamed, AtFlags::empty())
            .map_err(Error::io("remove", &path))
    }

    fn check_identity(&self, path: &Path, fd: &OwnedFd) -> Result<(), Error> {
        let at_path = rustix::fs::lstat(path).map_err(Error::io("look at", path))?;
        let ours = rustix::fs::fstat(fd).map_err(Error::io("look at", path))?;
        if (at_path.st_dev, at_path.st_ino) == (ours.st_dev, ours.st_ino) {
            return Ok(());
        }
        Err(refusal(&self.path, "it was replaced while in use"))
    }
}

/// A new private file: an error if the name is taken, by a symlink too.
pub(crate) fn create(directory: BorrowedFd<'_>, name: &str, path: &Path) -> Result<File, Error> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(directory, name, flags, PRIVATE_FILE)
        .map_err(Error::io("create", path))?;
    Ok(File::from(fd))
}

/// A new private directory.
pub(crate) fn make(parent: BorrowedFd<'_>, name: &str, path: &Path) -> Result<OwnedFd, Error> {
    rustix::fs::mkdirat(parent, name, PRIVATE_DIRECTORY)
        .map_err(Error::io("make the directory", path))?;
    open_private(parent, Path::new(name), path)
}

/// The subdirectory `name` itself, not what a symlink names.
pub(crate) fn open_child(parent: BorrowedFd<'_>, name: &std::ffi::CStr) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(parent, name, OPEN, Mode::empty())
}

/// `path` without trailing slashes, which would make the last part follow a symlink.
fn plain(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_absolute() {
        return Err(refusal(path, "its path is not absolute"));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(refusal(path, "its path goes through `..`"));
    }
    if path.to_str().is_none() {
        return Err(refusal(path, "its path is not UTF-8, which CRI demands"));
    }
    Ok(path.components().collect())
}

fn open_private(parent: BorrowedFd<'_>, name: &Path, path: &Path) -> Result<OwnedFd, Error> {
    let fd = match rustix::fs::openat(parent, name, OPEN, Mode::empty()) {
        Err(Errno::NOTDIR | Errno::LOOP) => {
            return Err(refusal(path, "it is no directory, or a symlink"));
        }
        opened => opened.map_err(Error::io("open", path))?,
    };
    let stat = rustix::fs::fstat(&fd).map_err(Error::io("look at", path))?;
    check_private(&stat).map_err(|reason| refusal(path, reason))?;
    Ok(fd)
}

fn check_private(stat: &Stat) -> Result<(), &'static str> {
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another user");
    }
    if Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
        return Err("others than its owner have access (expected mode 0700)");
    }
    Ok(())
}

/// The lock ends with its descriptor, so a crash leaves none behind.
fn lock(directory: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Error> {
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(directory, LOCK, flags, PRIVATE_FILE)
        .map_err(Error::io("open", path))?;
    match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(Error::Locked {
            path: path.to_owned(),
        }),
        locked => locked.map(|()| fd).map_err(Error::io("lock", path)),
    }
}

fn refusal(path: &Path, reason: &'static str) -> Error {
    Error::Directory {
        path: path.to_owned(),
        reason,
    }
}
