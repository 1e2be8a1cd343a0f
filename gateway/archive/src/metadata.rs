//! The small files beside an archive: its metadata and its hold.

use gateway_core::{Checkpoint, Hold};
use jiff::Timestamp;

use crate::directory::{Directory, Unreadable};
use crate::{Error, name};

/// The largest metadata that is written or read, in bytes.
pub(crate) const MAX_METADATA: u64 = 1 << 20;

/// The largest hold that is read, in bytes.
const MAX_HOLD: u64 = 64 << 10;

/// The metadata of `archive`, with its size. `None` where it is absent or not certainly ours: not a regular file, too
/// large, another schema, or another archive's.
pub(crate) fn read(
    directory: &Directory,
    archive: &str,
) -> Result<Option<(Checkpoint, u64)>, Error> {
    let name = format!("{archive}{}", name::METADATA);
    let Some(text) = directory.read_small(&name, MAX_METADATA)?.ok().flatten() else {
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
    // The store may have been moved: its files are where it is now.
    checkpoint.path = directory.path_of(archive);
    if let Some(original) = &mut checkpoint.original {
        original.path = directory.path_of(&original_name(archive, original.sealed));
    }
    checkpoint.hold = None;
    Ok(Some((checkpoint, text.len() as u64)))
}

/// The name of the original beside `archive`. It never comes from metadata, which could name any file.
pub(crate) fn original_name(archive: &str, sealed: bool) -> String {
    if sealed {
        format!("{archive}{}", name::SEALED)
    } else {
        name::plaintext(archive)
    }
}

/// The hold on `archive`. Anything at all in the hold's place counts: a hold that cannot be read must not be lost.
pub(crate) fn read_hold(directory: &Directory, archive: &str) -> Result<Option<Hold>, Error> {
    let read = match directory.read_small(&hold_name(archive), MAX_HOLD)? {
        Err(Unreadable::Absent) => return Ok(None),
        Err(Unreadable::NotAFile) => None,
        Ok(text) => text.and_then(|text| serde_json::from_slice(&text).ok()),
    };
    Ok(Some(read.unwrap_or_else(|| Hold {
        by: String::new(),
        at: Timestamp::UNIX_EPOCH,
        reason: Some("the hold's file cannot be read".to_owned()),
    })))
}

/// Writes the hold durably, unless there is one. The caller is alone in changing the store.
pub(crate) fn write_hold(directory: &Directory, archive: &str, hold: &Hold) -> Result<(), Error> {
    let text = serde_json::to_vec(hold).map_err(Error::Metadata)?;
    directory.write_small(&hold_name(archive), &text)
}

/// Removes the hold durably, if there is one.
pub(crate) fn remove_hold(directory: &Directory, archive: &str) -> Result<(), Error> {
    directory.remove(&hold_name(archive))?;
    directory.sync()
}

fn hold_name(archive: &str) -> String {
    format!("{archive}{}", name::HOLD)
}
