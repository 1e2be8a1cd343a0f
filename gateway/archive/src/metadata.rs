use std::fs::File;
use std::io::{Read, Write};

use gateway_core::{Checkpoint, Hold};
use jiff::Timestamp;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use crate::directory::{self, Directory};
use crate::{Error, name};

/// No metadata of ours is larger, in bytes: more is neither written nor read.
pub(crate) const MAX_METADATA: u64 = 1 << 20;

/// No hold of ours is larger, in bytes.
const MAX_HOLD: u64 = 64 << 10;

/// What stands where it should not.
pub(crate) enum Odd {
    /// Nothing.
    Absent,
    /// Something that is no regular file, or that we may not read.
    Strange,
}

/// The metadata of `archive`, with its size. `None` where it is absent or not certainly ours: no regular file, too large,
/// not of our making, or another archive's.
pub(crate) fn read(
    directory: &Directory,
    archive: &str,
) -> Result<Option<(Checkpoint, u64)>, Error> {
    let name = format!("{archive}{}", name::METADATA);
    let Some(text) = read_small(directory, &name, MAX_METADATA)?.ok().flatten() else {
        return Ok(None);
    };
    let Ok(mut checkpoint) = serde_json::from_slice::<Checkpoint>(&text) else {
        return Ok(None);
    };
    let named = checkpoint
        .path
        .file_name()
        .is_some_and(|name| name == archive);
    if checkpoint.schema != Checkpoint::SCHEMA || !named {
        return Ok(None);
    }
    // Where the store is now is where its files are.
    checkpoint.path = directory.path().join(archive);
    if let Some(original) = &mut checkpoint.original {
        original.path = directory
            .path()
            .join(original_name(archive, original.sealed));
    }
    checkpoint.hold = None;
    Ok(Some((checkpoint, text.len() as u64)))
}

/// What the original beside `archive` is named: never what a file says, which could name anything.
pub(crate) fn original_name(archive: &str, sealed: bool) -> String {
    if sealed {
        format!("{archive}{}", name::SEALED)
    } else {
        name::plaintext(archive)
    }
}

/// What pins `archive`. Anything at all in the hold's place holds: a hold that cannot be read must not be lost.
pub(crate) fn read_hold(directory: &Directory, archive: &str) -> Result<Option<Hold>, Error> {
    let read = match read_small(directory, &hold_name(archive), MAX_HOLD)? {
        Err(Odd::Absent) => return Ok(None),
        Err(Odd::Strange) => None,
        Ok(text) => text.and_then(|text| serde_json::from_slice(&text).ok()),
    };
    Ok(Some(read.unwrap_or_else(|| Hold {
        by: String::new(),
        at: Timestamp::UNIX_EPOCH,
        reason: Some("the hold's file cannot be read".to_owned()),
    })))
}

/// Writes the hold durably, whole or not at all. The caller is alone in changing the store.
pub(crate) fn write_hold(directory: &Directory, archive: &str, hold: &Hold) -> Result<(), Error> {
    const TEMPORARY: &str = "hold";
    let path = directory.incoming_path().join(TEMPORARY);
    let text = serde_json::to_vec(hold).map_err(Error::Metadata)?;
    let _ = rustix::fs::unlinkat(directory.incoming(), TEMPORARY, AtFlags::empty());
    let mut file = directory::create(directory.incoming(), TEMPORARY, &path)?;
    file.write_all(&text).map_err(Error::io("write", &path))?;
    file.sync_all().map_err(Error::io("sync", &path))?;
    let (incoming, to) = (directory.incoming(), hold_name(archive));
    match rustix::fs::renameat_with(
        incoming,
        TEMPORARY,
        directory.fd(),
        &to,
        RenameFlags::NOREPLACE,
    ) {
        Ok(()) | Err(Errno::EXIST) => directory.sync(),
        Err(error) => Err(Error::io("publish", &path)(error)),
    }
}

/// Removes the hold durably, if there is one.
pub(crate) fn remove_hold(directory: &Directory, archive: &str) -> Result<(), Error> {
    directory.remove(&hold_name(archive))?;
    directory.sync()
}

/// Opens a file of the store by its name: itself, never what a symlink names, and only if it is a regular file.
pub(crate) fn open_regular(
    directory: &Directory,
    name: &str,
) -> Result<Result<(File, Stat), Odd>, Error> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let path = || directory.path().join(name);
    let fd = match rustix::fs::openat(directory.fd(), name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(Err(Odd::Absent)),
        Err(Errno::LOOP | Errno::NXIO | Errno::ACCESS | Errno::PERM) => {
            return Ok(Err(Odd::Strange));
        }
        opened => opened.map_err(|error| Error::io("open", &path())(error))?,
    };
    let stat = rustix::fs::fstat(&fd).map_err(|error| Error::io("look at", &path())(error))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(Err(Odd::Strange));
    }
    Ok(Ok((File::from(fd), stat)))
}

/// The contents of a file, or nothing if it is larger than `max`.
fn read_small(
    directory: &Directory,
    name: &str,
    max: u64,
) -> Result<Result<Option<Vec<u8>>, Odd>, Error> {
    let file = match open_regular(directory, name)? {
        Ok((file, _)) => file,
        Err(odd) => return Ok(Err(odd)),
    };
    let mut text = Vec::new();
    let read = file.take(max + 1).read_to_end(&mut text);
    read.map_err(|error| Error::io("read", &directory.path().join(name))(error))?;
    Ok(Ok((text.len() as u64 <= max).then_some(text)))
}

fn hold_name(archive: &str) -> String {
    format!("{archive}{}", name::HOLD)
}
