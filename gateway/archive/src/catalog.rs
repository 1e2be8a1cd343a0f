use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::{Checkpoint, CheckpointId, Target};
use rustix::fs::{AtFlags, FileType, Mode, Stat};
use rustix::io::Errno;

use crate::directory::Directory;
use crate::index::{Entry, Index};
use crate::metadata::{self, Odd};
use crate::{Error, Filter, Page, name, tree};

/// How many checkpoints one store may hold: what is remembered of each takes memory.
const MAX_CHECKPOINTS: usize = 1_000_000;

/// How many checkpoints one page may have.
const MAX_PAGE: usize = 1000;

/// How much metadata one page may be read from, in bytes, unless its first alone is more.
const MAX_PAGE_BYTES: u64 = 16 << 20;

/// The published checkpoints. The directory says what there is; an index in memory says where to look.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) directory: Arc<Directory>,
    index: Mutex<Index>,
    changing: Mutex<()>,
    untold: Mutex<Vec<Checkpoint>>,
}

impl Catalog {
    /// Reads the directory once. Whatever is not certainly a checkpoint of ours is passed over.
    pub(crate) fn open(directory: Arc<Directory>) -> Result<Self, Error> {
        let index = Mutex::new(build(&directory)?);
        Ok(Self {
            directory,
            index,
            changing: Mutex::default(),
            untold: Mutex::default(),
        })
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held by whoever holds, releases or removes: a hold must not come while its checkpoint goes.
    pub(crate) fn alone(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was removed for a quota and could not be told to whoever asked for it, because something failed then.
    pub(crate) fn untold(&self) -> MutexGuard<'_, Vec<Checkpoint>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
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
            // One more than wanted tells whether anything follows.
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
            // What is gone is also forgotten, so the next is another.
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

    /// The checkpoint of an entry, with the size of its metadata. Where its files are gone, or not its files any more, the
    /// entry goes too.
    pub(crate) fn load(&self, entry: &Entry) -> Result<Option<(Checkpoint, u64)>, Error> {
        let read = metadata::read(&self.directory, &entry.name)?;
        let same = read.filter(|(read, _)| read.id == entry.id && read.target == entry.target);
        match same {
            Some((checkpoint, size)) if stat(&self.directory, &entry.name)?.is_some() => {
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
        if stat(&self.directory, &entry.name)?.is_none() {
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

    /// Opens a published file, which nothing changes: where something did, it is not served.
    fn open_unaltered(&self, name: &str, bytes: u64) -> Result<File, Error> {
        let altered = |reason| Error::Altered {
            path: self.directory.path().join(name),
            reason,
        };
        match metadata::open_regular(&self.directory, name)? {
            Err(Odd::Absent) => Err(altered("it is gone")),
            Err(Odd::Strange) => Err(altered("it is no regular file")),
            Ok((_, stat)) if u64::try_from(stat.st_size) != Ok(bytes) => {
                Err(altered("its length changed"))
            }
            Ok((_, stat)) if !is_private(&stat) => {
                Err(altered("others than its owner have access"))
            }
            Ok((file, _)) => Ok(file),
        }
    }
}

fn build(directory: &Directory) -> Result<Index, Error> {
    let mut index = Index::default();
    let mut names = tree::names(directory.fd()).map_err(Error::io("list", directory.path()))?;
    // Where two claim one id, the same one wins each time.
    names.sort();
    let names = names.iter().filter_map(|name| name.to_str().ok());
    for archive in names.filter_map(|name| name::archive_of(name, name::METADATA)) {
        let Some((mut checkpoint, _)) = metadata::read(directory, archive)? else {
            continue;
        };
        let regular = stat(directory, archive)?.is_some_and(|stat| is_regular(&stat));
        if !regular || index.get(checkpoint.id).is_some() {
            continue;
        }
        if index.len() >= MAX_CHECKPOINTS {
            let reason = "it holds more than 1000000 checkpoints";
            return Err(Error::Directory {
                path: directory.path().to_owned(),
                reason,
            });
        }
        checkpoint.hold = metadata::read_hold(directory, archive)?;
        index.insert(Entry::new(&checkpoint, archive));
    }
    Ok(index)
}

fn stat(directory: &Directory, name: &str) -> Result<Option<Stat>, Error> {
    match rustix::fs::statat(directory.fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(None),
        looked => looked
            .map(Some)
            .map_err(|error| Error::io("look at", &directory.path().join(name))(error)),
    }
}

fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

fn is_private(stat: &Stat) -> bool {
    !Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO)
}
