//! Publishes a whole archive with its metadata and original: visible and durable, or not at all.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::thread::{self, Builder};

use gateway_core::{Checkpoint, Container, Finding, Original};
use jiff::{SignedDuration, Timestamp};
use rustix::io::Errno;
use serde::ser::Error as _;

use crate::entry::Entry;
use crate::metadata::{self, MAX_METADATA};
use crate::original_writer::WrittenOriginal;
use crate::quota_reservation::QuotaReservation;
use crate::step::{Step, StepFile, Steps};
use crate::whole_archive::WholeArchive;
use crate::work_folder::{ORIGINAL, WorkFolder};
use crate::{CheckpointInfo, Error, facts, name};

/// The number of names that are tried, each a nanosecond later.
const ATTEMPTS: i64 = 32;

/// Makes the archive and its metadata visible and durable. The metadata comes first: an archive that can be seen is
/// already described, and the next start removes metadata without an archive.
pub(crate) fn publish(
    folder: &WorkFolder,
    archive: &WholeArchive,
    quota: QuotaReservation,
    info: &CheckpointInfo,
    steps: &Steps,
) -> Result<Checkpoint, Error> {
    sync_both(folder, archive, steps)?;
    let mut watch = steps.watch(Step::Publish, StepFile::Archive);
    watch.count(archive.bytes);
    watch.time(|| publish_synced(folder, archive, quota, info))
}

/// Waits until the disk has the archive and its original.
fn sync_both(folder: &WorkFolder, archive: &WholeArchive, steps: &Steps) -> Result<(), Error> {
    let path = folder.path_of(ORIGINAL);
    thread::scope(|scope| {
        let original = archive.original.as_ref().map(|original| {
            let mut watch = steps.watch(Step::Sync, StepFile::Original);
            watch.count(original.bytes);
            let path = &path;
            let work = move || watch.time(|| sync(&original.file, path));
            let name = "archive-sync".to_owned();
            Builder::new().name(name).spawn_scoped(scope, work)
        });
        let mut watch = steps.watch(Step::Sync, StepFile::Archive);
        watch.count(archive.bytes);
        let synced = watch.time(|| sync(&archive.file, &folder.path_of(archive.name)));
        let original = original.transpose().map_err(Error::io("sync", &path));
        let original = original.and_then(|thread| match thread {
            Some(thread) => thread.join().unwrap_or(Err(Error::Worker)),
            None => Ok(()),
        });
        synced.and(original)
    })
}

fn publish_synced(
    folder: &WorkFolder,
    archive: &WholeArchive,
    quota: QuotaReservation,
    info: &CheckpointInfo,
) -> Result<Checkpoint, Error> {
    let shown = Shown::of(info);
    for later in 0..ATTEMPTS {
        let at = info
            .created_at
            .saturating_add(SignedDuration::from_nanos(later))
            .unwrap_or(Timestamp::MAX);
        let name = name::archive(&info.target, at);
        let described = describe(folder.directory().path(), archive, info, &shown, &name);
        let checkpoint = within_bounds(described)?;
        if publish_as(folder, archive, &checkpoint, info, &name)? {
            quota.publish(Entry::new(&checkpoint, &name));
            return Ok(checkpoint);
        }
    }
    let path = folder
        .directory()
        .path_of(&name::archive(&info.target, info.created_at));
    Err(Error::io("find a free name near", &path)(Errno::EXIST))
}

/// Publishes under `name`; `false` if it is taken. The archive comes last: it makes the rest visible.
fn publish_as(
    folder: &WorkFolder,
    archive: &WholeArchive,
    checkpoint: &Checkpoint,
    info: &CheckpointInfo,
    name: &str,
) -> Result<bool, Error> {
    let directory = folder.directory();
    let metadata = format!("{name}{}", name::METADATA);
    write_metadata(folder, checkpoint, &metadata)?;
    let original = archive
        .original
        .as_ref()
        .map(|original| original_name(name, original));
    let facts = facts::name(name);
    let mut files = vec![(metadata.as_str(), metadata.as_str())];
    if checkpoint.facts != info.container {
        write(folder, &facts, &facts::text(info.id, &info.container)?)?;
        files.push((facts.as_str(), facts.as_str()));
    }
    files.extend(original.as_deref().map(|original| (ORIGINAL, original)));
    files.push((archive.name, name));
    for (at, (from, to)) in files.iter().enumerate() {
        let published = directory.publish(folder.folder(), from, to);
        if !matches!(published, Ok(true)) {
            withdraw(folder, files.iter().take(at))?;
            return published;
        }
    }
    // A caller that is given an error must not find the archive.
    directory
        .sync()
        .or_else(|error| withdraw(folder, files.iter()).and(Err(error)))?;
    Ok(true)
}

/// Moves files back that were published too early. The metadata stays last: it shows to which checkpoint the rest belongs.
fn withdraw<'a>(
    folder: &WorkFolder,
    files: impl DoubleEndedIterator<Item = &'a (&'a str, &'a str)>,
) -> Result<(), Error> {
    let directory = folder.directory();
    files
        .rev()
        .try_for_each(|(from, to)| directory.withdraw(to, folder.folder(), from))
}

fn original_name(archive: &str, original: &WrittenOriginal) -> String {
    metadata::original_name(archive, original.recipients.is_some())
}

/// The checkpoint without its findings, where its metadata would be too large with them: larger metadata would not be read
/// after the next start.
fn within_bounds(mut checkpoint: Checkpoint) -> Result<Checkpoint, Error> {
    let is_too_large = |checkpoint: &Checkpoint| {
        let text = text(checkpoint)?;
        Ok::<_, Error>(text.len() as u64 > MAX_METADATA)
    };
    if is_too_large(&checkpoint)? && !checkpoint.findings.is_empty() {
        checkpoint.findings = vec![Finding::unlisted(checkpoint.findings.len() as u64)];
    }
    if is_too_large(&checkpoint)? {
        let error = serde_json::Error::custom("it is larger than 1 MiB");
        return Err(Error::Metadata(error));
    }
    Ok(checkpoint)
}

fn text(checkpoint: &Checkpoint) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec_pretty(checkpoint).map_err(Error::Metadata)?;
    text.push(b'\n');
    Ok(text)
}

fn write_metadata(folder: &WorkFolder, checkpoint: &Checkpoint, name: &str) -> Result<(), Error> {
    write(folder, name, &text(checkpoint)?)
}

/// Writes and syncs a small file.
fn write(folder: &WorkFolder, name: &str, text: &[u8]) -> Result<(), Error> {
    let mut file = folder.create_file(name)?;
    let path = folder.path_of(name);
    file.write_all(text).map_err(Error::io("write", &path))?;
    sync(&file, &path)
}

/// The texts about a checkpoint as its metadata shows them.
struct Shown {
    container: Container,
    image: String,
    reason: Option<String>,
    /// The fields in which something is masked.
    masked: Vec<String>,
}

impl Shown {
    fn of(info: &CheckpointInfo) -> Self {
        let mut container = info.container.clone();
        let fields = info.texts.mask_container(&mut container);
        let mut masked: Vec<_> = fields.into_keys().collect();
        let hidden = info
            .reason
            .as_deref()
            .and_then(|text| info.texts.mask(text));
        if hidden.is_some() {
            masked.push("reason".to_owned());
        }
        Self {
            container,
            image: (info.texts.mask_image(&info.image)).unwrap_or_else(|| info.image.clone()),
            reason: hidden.or_else(|| info.reason.clone()),
            masked,
        }
    }
}

fn sync(file: &File, path: &Path) -> Result<(), Error> {
    file.sync_all().map_err(Error::io("sync", path))
}

fn describe(
    directory: &Path,
    archive: &WholeArchive,
    info: &CheckpointInfo,
    shown: &Shown,
    name: &str,
) -> Checkpoint {
    Checkpoint {
        schema: Checkpoint::SCHEMA,
        id: info.id,
        path: directory.join(name),
        bytes: archive.bytes,
        sha256: archive.sha256.clone(),
        created_at: info.created_at,
        created_by: info.created_by.clone(),
        reason: shown.reason.clone(),
        target: info.target.clone(),
        container_id: info.container_id.clone(),
        pod_uid: info.pod_uid.clone(),
        image: shown.image.clone(),
        facts: shown.container.clone(),
        masked: shown.masked.clone(),
        runtime: info.runtime.clone(),
        transport: archive.transport,
        request_id: info.request_id,
        trace_id: info.trace_id,
        redaction: archive.redaction.clone(),
        findings: info.texts.mask_findings(&archive.findings),
        hidden: info.hidden.clone(),
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
