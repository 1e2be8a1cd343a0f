//! Operations on names: remove, rename, sync the folder that a name is in.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use crate::Error;

/// The folder that `path` is in; for a bare name, the working folder.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// `path` with `suffix` appended to its last part: `a/log` and `.next` make `a/log.next`.
pub fn with_suffix(path: &Path, suffix: impl AsRef<OsStr>) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Syncs the folder that `path` is in, so that names made, changed or removed there outlast a crash.
pub fn sync_parent(path: &Path) -> Result<(), Error> {
    let folder = parent(path);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(Error::io("sync", folder))
}

/// Removes the file at `path`, if there is one. Not durable before [`sync_parent`].
pub fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Renames a synced file or folder durably; [`Error::Exists`] if `to` is taken.
pub fn rename_new(from: &Path, to: &Path) -> Result<(), Error> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::EXIST) => return Err(Error::exists(to)),
        renamed => renamed.map_err(Error::io("rename", from))?,
    }
    sync_parent(to)
}

/// Renames a synced file durably; what had the name `to` is replaced in one step.
pub fn rename_over(from: &Path, to: &Path) -> Result<(), Error> {
    rustix::fs::rename(from, to).map_err(Error::io("rename", from))?;
    sync_parent(to)
}
