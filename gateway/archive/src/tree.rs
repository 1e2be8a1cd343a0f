use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Dir, FileType};
use rustix::io::Errno;

use crate::directory::open_child;

/// No place for unpublished work is nested deeper, unless someone plays with us.
const MAX_DEPTH: u32 = 16;

/// How many names a directory may have: they are all in memory at once.
const MAX_NAMES: usize = 8_000_000;

/// Removes `name` and, if it is a directory, all in it, without following a symlink. Tells how many bytes its regular
/// files had.
pub(crate) fn remove(parent: BorrowedFd<'_>, name: &CStr) -> Result<u64, Errno> {
    remove_within(parent, name, MAX_DEPTH)
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
    let directory = open_child(parent, name)?;
    let mut bytes = 0u64;
    for inner in names(directory.as_fd())? {
        bytes = bytes.saturating_add(remove_within(directory.as_fd(), &inner, depth)?);
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?;
    Ok(bytes)
}
