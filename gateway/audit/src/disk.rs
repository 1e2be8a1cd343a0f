use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags, flock};

use crate::recovery::invalid;
use crate::segment::{self, remove, sync_folder, with};

/// What the name of the next active file ends with until it takes its place.
pub(crate) const NEXT: &str = ".next";

/// What the log asks of the file that it appends to.
pub(crate) trait Disk: Debug + Send {
    /// Writes all of `bytes` at `place`.
    fn write(&self, bytes: &[u8], place: u64) -> io::Result<()>;
    /// Makes what was written outlast a crash.
    fn sync(&self) -> io::Result<()>;
    /// Cuts the file off at `end`.
    fn cut(&self, end: u64) -> io::Result<()>;
}

impl Disk for File {
    fn write(&self, bytes: &[u8], place: u64) -> io::Result<()> {
        self.write_all_at(bytes, place)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&self, end: u64) -> io::Result<()> {
        self.set_len(end)
    }
}

/// Opens the file at `path`, or makes it, for one gateway alone.
pub(crate) fn open_alone(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let file = options.open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(invalid("not a regular file with one name"));
    }
    lock(&file)?;
    // Whoever had the lock may have begun another file in this one's place meanwhile.
    let now = std::fs::symlink_metadata(path)?;
    if (now.dev(), now.ino()) != (meta.dev(), meta.ino()) {
        return Err(taken());
    }
    settle(path, &file)?;
    if file.metadata()?.nlink() != 1 {
        return Err(invalid("not a regular file with one name"));
    }
    Ok(file)
}

/// Puts in order what a crash left while the file was to be closed and another one begun.
fn settle(path: &Path, file: &File) -> io::Result<()> {
    // Nothing that anybody was told of is in a file that has not taken its place.
    remove(&with(path, NEXT))?;
    if file.metadata()?.nlink() == 1 {
        return Ok(());
    }
    for segment in segment::closed(path)? {
        unlink(&segment.plain, path)?;
    }
    sync_folder(path)
}

/// Removes `name` where it is but another name of the file at `path`.
fn unlink(name: &Path, path: &Path) -> io::Result<()> {
    let file = |path: &Path| std::fs::symlink_metadata(path).map(|meta| (meta.dev(), meta.ino()));
    match file(name) {
        Ok(other) if other == file(path)? => std::fs::remove_file(name),
        _ => Ok(()),
    }
}

/// Closes the file at `path` under the name `closed`, and has another one that begins with `line` take its place. At every
/// moment there is a whole file at `path`. The folder is not synced at the end: nothing may count as durable before.
pub(crate) fn turn(path: &Path, closed: &Path, line: &[u8]) -> io::Result<File> {
    let next = with(path, NEXT);
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
    unlink(closed, path)?;
    std::fs::hard_link(path, closed)?;
    let turned = sync_folder(path).and_then(|()| std::fs::rename(&next, path));
    if let Err(error) = turned {
        // The file has one name again. Where even that fails, the next start does it.
        let _ = remove(closed);
        return Err(error);
    }
    Ok(file)
}

fn lock(file: &File) -> io::Result<()> {
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(|_| taken())
}

fn taken() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "another gateway writes to it")
}
