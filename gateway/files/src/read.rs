//! Small files, read with a bound and without waiting for a writer.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::{Error, Refusal};

/// Opens a regular file for reading. Symlinks are followed; a FIFO, device or folder is refused without waiting.
pub fn open(path: &Path) -> Result<File, Error> {
    // Without NONBLOCK, opening a FIFO waits for a writer. Regular files ignore it.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(Error::io("open", path))?;
    check_regular(&file, path)?;
    Ok(file)
}

/// The contents of a regular file; [`Error::TooLarge`] if it has more than `max` bytes.
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    read_bounded(open(path)?, path, max)
}

/// Like [`read`], but refuses a file that group or others have any access to. The owner is not checked: Kubernetes mounts
/// secrets as root's.
pub fn read_private(path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let file = open(path)?;
    let mode = file.metadata().map_err(Error::io("inspect", path))?.mode();
    check_mode(mode).map_err(|reason| Error::refused(path, reason))?;
    read_bounded(file, path, max)
}

pub(crate) fn read_bounded(file: File, path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(Error::io("read", path))?;
    if bytes.len() as u64 > max {
        let path = path.to_owned();
        return Err(Error::TooLarge { path, max });
    }
    Ok(bytes)
}

pub(crate) fn check_regular(file: &File, path: &Path) -> Result<(), Error> {
    let meta = file.metadata().map_err(Error::io("inspect", path))?;
    if meta.is_file() {
        return Ok(());
    }
    Err(Error::refused(path, Refusal::NotAFile))
}

pub(crate) fn check_mode(mode: u32) -> Result<(), Refusal> {
    if mode & 0o077 != 0 {
        return Err(Refusal::OthersHaveAccess(mode));
    }
    Ok(())
}
