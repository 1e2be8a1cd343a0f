//! The active file of a log: opened by one gateway only, and closed as a segment when it is full.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use gateway_files::{remove, sync_parent, with_suffix};
use rustix::fs::OFlags;

use crate::segment;

/// The suffix of the next active file until it is renamed.
pub(crate) const NEXT: &str = ".next";

/// Opens the file at `path`, or creates it, and locks it against other gateways.
pub(crate) fn open_exclusive(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let file = options.open(path)?;
    let opened = file.metadata()?;
    if !opened.is_file() {
        return Err(not_regular());
    }
    lock(&file)?;
    // Whoever held the lock may have renamed another file to this path meanwhile.
    let named = std::fs::symlink_metadata(path)?;
    if (named.dev(), named.ino()) != (opened.dev(), opened.ino()) {
        return Err(in_use());
    }
    undo_interrupted_rotation(path, &file)?;
    if file.metadata()?.nlink() != 1 {
        return Err(not_regular());
    }
    Ok(file)
}

/// Undoes a rotation that a crash interrupted.
fn undo_interrupted_rotation(path: &Path, file: &File) -> io::Result<()> {
    // No record in a file that was not renamed yet has been confirmed to anybody.
    remove(&with_suffix(path, NEXT))?;
    if file.metadata()?.nlink() == 1 {
        return Ok(());
    }
    for segment in segment::closed(path)? {
        unlink_alias(&segment.plain, path)?;
    }
    Ok(sync_parent(path)?)
}

/// Removes `alias` if it is another name of the file at `path`.
fn unlink_alias(alias: &Path, path: &Path) -> io::Result<()> {
    let id = |path: &Path| std::fs::symlink_metadata(path).map(|meta| (meta.dev(), meta.ino()));
    match id(alias) {
        Ok(other) if other == id(path)? => std::fs::remove_file(alias),
        _ => Ok(()),
    }
}

/// Closes the file at `path` under the name `closed`, and replaces it by a new one that begins with `line`. There is a
/// whole file at `path` at every moment. The folder is not synced at the end: the caller does that before it confirms
/// any record.
pub(crate) fn rotate(path: &Path, closed: &Path, line: &[u8]) -> io::Result<File> {
    let next = with_suffix(path, NEXT);
    remove(&next)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&next)?;
    lock(&file)?;
    file.write_all_at(line, 0)?;
    file.sync_all()?;
    unlink_alias(closed, path)?;
    std::fs::hard_link(path, closed)?;
    let renamed = sync_parent(path)
        .map_err(io::Error::from)
        .and_then(|()| std::fs::rename(&next, path));
    if let Err(error) = renamed {
        // Back to one name. If this fails too, the next start does it.
        let _ = remove(closed);
        return Err(error);
    }
    Ok(file)
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|_| in_use())
}

fn in_use() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "another gateway writes to it")
}

fn not_regular() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "not a regular file with one name",
    )
}
