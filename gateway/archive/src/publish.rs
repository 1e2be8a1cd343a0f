use std::fs::File;
use std::io::Write;
use std::os::fd::BorrowedFd;
use std::path::Path;

use gateway_core::{Checkpoint, Original, RedactionSummary, Transport};
use jiff::{SignedDuration, Timestamp};
use rustix::fs::RenameFlags;
use rustix::io::Errno;
use serde::ser::Error as _;

use crate::index::Entry;
use crate::intake::About;
use crate::keeper::KeptOriginal;
use crate::metadata::{self, MAX_METADATA};
use crate::place::{ORIGINAL, Place};
use crate::{Error, Reservation, name};

/// How many nanoseconds later than its time an archive may be named, if names are taken.
const ATTEMPTS: i64 = 32;

/// A whole archive in its place, not yet published.
#[derive(Debug)]
pub(crate) struct Archive {
    /// Its file, for the last sync.
    pub(crate) file: File,
    /// Its name in its place.
    pub(crate) name: &'static str,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) transport: Transport,
    /// What was hidden in it, if anything was to be.
    pub(crate) redaction: Option<RedactionSummary>,
    /// What the runtime wrote, if that is kept beside it.
    pub(crate) original: Option<KeptOriginal>,
}

/// Makes the archive and its metadata visible and durable. The metadata comes first: an archive that can be seen is
/// already described, and metadata alone is cleaned when the store is next opened.
pub(crate) fn publish(
    place: &Place,
    archive: &Archive,
    mut reservation: Reservation,
    about: &About,
) -> Result<Checkpoint, Error> {
    archive
        .file
        .sync_all()
        .map_err(Error::io("sync", &place.path_of(archive.name)))?;
    if let Some(original) = &archive.original {
        original
            .file
            .sync_all()
            .map_err(Error::io("sync", &place.path_of(ORIGINAL)))?;
    }
    for later in 0..ATTEMPTS {
        let at = about
            .created_at
            .saturating_add(SignedDuration::from_nanos(later))
            .unwrap_or(Timestamp::MAX);
        let name = name::archive(&about.target, at);
        let checkpoint = describe(place, archive, about, &name);
        if publish_as(place, archive, &checkpoint, &name)? {
            let entry = Entry::new(&checkpoint, &name);
            match reservation.take_promise() {
                Some(promise) => promise.keep(entry),
                None => place.inner().catalog.index().insert(entry),
            }
            return Ok(checkpoint);
        }
    }
    let path = place
        .inner()
        .directory
        .path()
        .join(name::archive(&about.target, about.created_at));
    Err(Error::io("find a free name near", &path)(Errno::EXIST))
}

/// Publishes under `name`; `false` if it is taken. The archive comes last: it makes the rest visible.
fn publish_as(
    place: &Place,
    archive: &Archive,
    checkpoint: &Checkpoint,
    name: &str,
) -> Result<bool, Error> {
    let directory = &place.inner().directory;
    let metadata = format!("{name}{}", name::METADATA);
    write_metadata(place, checkpoint, &metadata)?;
    let original = archive
        .original
        .as_ref()
        .map(|original| original_name(name, original));
    let mut files = vec![(metadata.as_str(), metadata.as_str())];
    files.extend(original.as_deref().map(|original| (ORIGINAL, original)));
    files.push((archive.name, name));
    for (at, (from, to)) in files.iter().enumerate() {
        let published = rename(place, from, directory.fd(), to);
        if !matches!(published, Ok(true)) {
            take_back(place, files.iter().take(at))?;
            return published;
        }
    }
    // Said to have failed, so it must not be there.
    directory
        .sync()
        .or_else(|error| take_back(place, files.iter()).and(Err(error)))?;
    Ok(true)
}

/// Moves back into its place what was published too early. The metadata stays last: it tells whose the rest is.
fn take_back<'a>(
    place: &Place,
    files: impl DoubleEndedIterator<Item = &'a (&'a str, &'a str)>,
) -> Result<(), Error> {
    let directory = &place.inner().directory;
    files.rev().try_for_each(|(from, to)| {
        let moved = rustix::fs::renameat(directory.fd(), *to, place.fd(), *from);
        moved.map_err(Error::io("take back", &directory.path().join(to)))
    })
}

fn original_name(archive: &str, original: &KeptOriginal) -> String {
    metadata::original_name(archive, original.recipients.is_some())
}

fn write_metadata(place: &Place, checkpoint: &Checkpoint, name: &str) -> Result<(), Error> {
    let mut text = serde_json::to_vec_pretty(checkpoint).map_err(Error::Metadata)?;
    text.push(b'\n');
    // What is written must be read again: it would be no checkpoint after the next start.
    if text.len() as u64 > MAX_METADATA {
        return Err(Error::Metadata(serde_json::Error::custom(
            "it is larger than 1 MiB",
        )));
    }
    let mut file = place.create(name)?;
    let path = place.path_of(name);
    file.write_all(&text).map_err(Error::io("write", &path))?;
    file.sync_all().map_err(Error::io("sync", &path))
}

/// Moves `from` out of its place; `false` if the new name is taken.
fn rename(place: &Place, from: &str, directory: BorrowedFd<'_>, to: &str) -> Result<bool, Error> {
    match rustix::fs::renameat_with(place.fd(), from, directory, to, RenameFlags::NOREPLACE) {
        Err(Errno::EXIST) => Ok(false),
        renamed => renamed
            .map(|()| true)
            .map_err(Error::io("publish", &place.path_of(from))),
    }
}

fn describe(place: &Place, archive: &Archive, about: &About, name: &str) -> Checkpoint {
    let directory: &Path = place.inner().directory.path();
    Checkpoint {
        schema: Checkpoint::SCHEMA,
        id: about.id,
        path: directory.join(name),
        bytes: archive.bytes,
        sha256: archive.sha256.clone(),
        created_at: about.created_at,
        created_by: about.created_by.clone(),
        reason: about.reason.clone(),
        target: about.target.clone(),
        container_id: about.container_id.clone(),
        pod_uid: about.pod_uid.clone(),
        image: about.image.clone(),
        facts: about.facts.clone(),
        runtime: about.runtime.clone(),
        transport: archive.transport,
        request_id: about.request_id,
        trace_id: about.trace_id,
        redaction: archive.redaction.clone(),
        hidden: about.hidden.clone(),
        original: archive.original.as_ref().map(|original| Original {
            path: directory.join(original_name(name, original)),
            bytes: original.bytes,
            sha256: original.sha256.clone(),
            sealed: original.recipients.is_some(),
            recipients: original.recipients.unwrap_or_default(),
        }),
        hold: None,
    }
}
