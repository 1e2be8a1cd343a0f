//! The published checkpoints: lists, finds and opens them.

use std::fs::File;
use std::sync::Arc;

use gateway_core::{Checkpoint, CheckpointId, Target};
use parking_lot::{Mutex, MutexGuard};

use crate::directory::{Directory, Unreadable};
use crate::entry::Entry;
use crate::index::Index;
use crate::{Error, Filter, Page, metadata, name};

/// The most checkpoints of one store: each has an entry in memory.
const MAX_CHECKPOINTS: usize = 1_000_000;

/// The most checkpoints of one page.
const MAX_PAGE: usize = 1000;

/// The most metadata that one page is read from, in bytes, unless its first checkpoint alone has more.
const MAX_PAGE_BYTES: u64 = 16 << 20;

/// The published checkpoints. The directory holds the truth; an index in memory finds it.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) directory: Arc<Directory>,
    index: Mutex<Index>,
    changing: Mutex<()>,
    unreported: Mutex<Vec<Checkpoint>>,
}

impl Catalog {
    /// Reads the directory once. Files that are not certainly checkpoints of this gateway are skipped.
    pub(crate) fn open(directory: Arc<Directory>) -> Result<Self, Error> {
        let index = Mutex::new(build(&directory)?);
        Ok(Self {
            directory,
            index,
            changing: Mutex::default(),
            unreported: Mutex::default(),
        })
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock()
    }

    /// Locks all changes of published checkpoints: no hold may come while its checkpoint is removed.
    pub(crate) fn lock_changes(&self) -> MutexGuard<'_, ()> {
        self.changing.lock()
    }

    /// Checkpoints that were removed for a quota, and not reported since a later step failed.
    pub(crate) fn unreported(&self) -> MutexGuard<'_, Vec<Checkpoint>> {
        self.unreported.lock()
    }

    pub(crate) fn list(
        &self,
        filter: &Filter,
        mut after: Option<CheckpointId>,
        limit: usize,
    ) -> Result<Page, Error> {
        let (limit, mut bytes) = (limit.clamp(1, MAX_PAGE), 0u64);
        let mut checkpoints: Vec<Checkpoint> = Vec::new();
        loop {
            let wanted = limit - checkpoints.len();
            // One more than wanted shows whether anything follows.
            let found = self.index().matching(filter, after, wanted + 1);
            let more = found.len() > wanted;
            for entry in found.into_iter().take(wanted) {
                if bytes > MAX_PAGE_BYTES {
                    return Ok(Page {
                        checkpoints,
                        next: after,
                    });
                }
                after = Some(entry.id);
                if let Some((checkpoint, size)) = self.load(&entry)? {
                    bytes = bytes.saturating_add(size);
                    checkpoints.push(checkpoint);
                }
            }
            if !more || checkpoints.len() == limit {
                return Ok(Page {
                    checkpoints,
                    next: after.filter(|_| more),
                });
            }
        }
    }

    pub(crate) fn latest(&self, target: &Target) -> Result<Option<Checkpoint>, Error> {
        loop {
            let Some(entry) = self.index().newest(target).cloned() else {
                return Ok(None);
            };
            // `load` forgets a checkpoint whose files are missing, so the next look-up finds another.
            if let Some((checkpoint, _)) = self.load(&entry)? {
                return Ok(Some(checkpoint));
            }
        }
    }

    pub(crate) fn find(&self, id: CheckpointId) -> Result<Option<Checkpoint>, Error> {
        let Some(entry) = self.entry(id) else {
            return Ok(None);
        };
        Ok(self.load(&entry)?.map(|(checkpoint, _)| checkpoint))
    }

    pub(crate) fn open_archive(
        &self,
        id: CheckpointId,
    ) -> Result<Option<(Checkpoint, File)>, Error> {
        let Some(entry) = self.entry(id) else {
            return Ok(None);
        };
        let Some((checkpoint, _)) = self.load(&entry)? else {
            return Ok(None);
        };
        let file = self.open_unaltered(&entry.name, checkpoint.bytes)?;
        Ok(Some((checkpoint, file)))
    }

    pub(crate) fn open_original(
        &self,
        id: CheckpointId,
    ) -> Result<Option<(Checkpoint, File)>, Error> {
        let Some(entry) = self.entry(id) else {
            return Ok(None);
        };
        let Some((checkpoint, _)) = self.load(&entry)? else {
            return Ok(None);
        };
        let Some(original) = &checkpoint.original else {
            return Ok(None);
        };
        let name = metadata::original_name(&entry.name, original.sealed);
        let file = self.open_unaltered(&name, original.bytes)?;
        Ok(Some((checkpoint, file)))
    }

    pub(crate) fn entry(&self, id: CheckpointId) -> Option<Entry> {
        self.index().get(id).cloned()
    }

    /// The checkpoint of an entry, with the size of its metadata. Where its files are missing or another checkpoint's,
    /// the entry is removed.
    pub(crate) fn load(&self, entry: &Entry) -> Result<Option<(Checkpoint, u64)>, Error> {
        let read = metadata::read(&self.directory, &entry.name)?;
        let same = read.filter(|(read, _)| read.id == entry.id && read.target == entry.target);
        match same {
            Some((checkpoint, size)) if self.directory.status(&entry.name)?.is_some() => {
                Ok(Some((
                    Checkpoint {
                        hold: entry.hold.clone(),
                        ..checkpoint
                    },
                    size,
                )))
            }
            _ => {
                self.forget(entry);
                Ok(None)
            }
        }
    }

    pub(crate) fn forget_if_gone(&self, entry: &Entry) -> Result<(), Error> {
        if self.directory.status(&entry.name)?.is_none() {
            self.forget(entry);
        }
        Ok(())
    }

    fn forget(&self, entry: &Entry) {
        let mut index = self.index();
        if index
            .get(entry.id)
            .is_some_and(|now| now.name == entry.name)
        {
            index.remove(entry.id);
        }
    }

    /// Opens a published file. Nothing may change it: a file that was altered is not served.
    fn open_unaltered(&self, name: &str, bytes: u64) -> Result<File, Error> {
        let altered = |reason| Error::Altered {
            path: self.directory.path_of(name),
            reason,
        };
        match self.directory.open_file(name)? {
            Err(Unreadable::Absent) => Err(altered("it is missing")),
            Err(Unreadable::NotAFile) => Err(altered("it is not a regular file")),
            Ok((_, status)) if status.bytes != bytes => Err(altered("its length changed")),
            Ok((_, status)) if !status.is_private => {
                Err(altered("others than its owner have access"))
            }
            Ok((file, _)) => Ok(file),
        }
    }
}

fn build(directory: &Directory) -> Result<Index, Error> {
    let mut index = Index::default();
    // In order: where two files claim one id, the same one wins each time.
    let names = directory.names()?;
    for archive in names
        .iter()
        .filter_map(|name| name::archive_of(name, name::METADATA))
    {
        let Some((mut checkpoint, _)) = metadata::read(directory, archive)? else {
            continue;
        };
        let regular = directory
            .status(archive)?
            .is_some_and(|status| status.is_regular);
        if !regular || index.get(checkpoint.id).is_some() {
            continue;
        }
        if index.len() >= MAX_CHECKPOINTS {
            return Err(Error::Directory {
                path: directory.path().to_owned(),
                reason: format!("it holds more than {MAX_CHECKPOINTS} checkpoints"),
            });
        }
        checkpoint.hold = metadata::read_hold(directory, archive)?;
        index.insert(Entry::new(&checkpoint, archive));
    }
    Ok(index)
}
