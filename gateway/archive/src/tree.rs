//! Lists and removes directories without following symlinks.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

/// The deepest nesting that is removed. The store never nests folders deeper.
const MAX_DEPTH: u32 = 16;

/// The most names that a directory may have: they are all in memory at once.
const MAX_NAMES: usize = 8_000_000;

/// Opens a directory itself, not what a symlink names.
const OPEN: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Removes `name` and, if it is a directory, everything in it, without following a symlink. Returns how many bytes its
/// regular files had.
pub(crate) fn remove(parent: BorrowedFd<'_>, name: &CStr) -> Result<u64, Errno> {
    remove_within(parent, name, MAX_DEPTH)
}

/// As [`remove`], for a name in UTF-8.
pub(crate) fn remove_named(parent: BorrowedFd<'_>, name: &str) -> Result<u64, Errno> {
    remove(parent, &CString::new(name).map_err(|_| Errno::INVAL)?)
}

/// The names in a directory, without `.` and `..`; with more than [`MAX_NAMES`] of them, [`Errno::OVERFLOW`].
pub(crate) fn names(directory: BorrowedFd<'_>) -> Result<Vec<Box<CStr>>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        if ![c".", c".."].contains(&entry.file_name()) {
            if names.len() >= MAX_NAMES {
                return Err(Errno::OVERFLOW);
            }
            names.push(entry.file_name().into());
        }
    }
    Ok(names)
}

fn remove_within(parent: BorrowedFd<'_>, name: &CStr, depth: u32) -> Result<u64, Errno> {
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            remove_directory(parent, name, depth.checked_sub(1).ok_or(Errno::LOOP)?)
        }
        FileType::RegularFile => {
            rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
            Ok(u64::try_from(stat.st_size).unwrap_or_default())
        }
        _ => rustix::fs::unlinkat(parent, name, AtFlags::empty()).map(|()| 0),
    }
}

fn remove_directory(parent: BorrowedFd<'_>, name: &CStr, depth: u32) -> Result<u64, Errno> {
    let directory = rustix::fs::openat(parent, name, OPEN, Mode::empty())?;
    let mut bytes = 0u64;
    for inner in names(directory.as_fd())? {
        bytes = bytes.saturating_add(remove_within(directory.as_fd(), &inner, depth)?);
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?;
    Ok(bytes)
}
