use std::fs::File;

use gateway_core::{Checkpoint, CheckpointId, Hold, Target};

use crate::{Error, Filter, Page, Store};

/// Access to what is published. All of it blocks, for as long as the disk does. What cannot be read as a checkpoint of
/// ours is passed over: an archive that is not described is not known.
///
/// # Errors
/// [`Error::Io`] where the directory cannot be read or changed; others as they are named.
impl Store {
    /// The newest `limit` (1 to 1000) of the checkpoints that `filter` lets through, and that are older than `after`:
    /// newest first, by their ids. A page may end early where metadata is large, so only [`Page::next`] says that there
    /// is no more.
    pub fn list(
        &self,
        filter: &Filter,
        after: Option<CheckpointId>,
        limit: usize,
    ) -> Result<Page, Error> {
        self.catalog().list(filter, after, limit)
    }

    /// The newest published checkpoint of the container that `target` names; `None` where there is none.
    pub fn latest(&self, target: &Target) -> Result<Option<Checkpoint>, Error> {
        self.catalog().latest(target)
    }

    /// What is known of a checkpoint; `None` where there is no such.
    pub fn find(&self, id: CheckpointId) -> Result<Option<Checkpoint>, Error> {
        self.catalog().find(id)
    }

    /// The archive, for reading. It stays readable to whoever has it open, even if the checkpoint is removed.
    ///
    /// # Errors
    /// [`Error::Altered`] where it is not the file that was published, as far as its kind, size and mode tell.
    pub fn open_archive(&self, id: CheckpointId) -> Result<Option<(Checkpoint, File)>, Error> {
        self.catalog().open_archive(id)
    }

    /// As [`Store::open_archive`], the original as it is kept: sealed, unless [`gateway_core::Original::sealed`] says
    /// otherwise. `None` where none is kept.
    pub fn open_original(&self, id: CheckpointId) -> Result<Option<(Checkpoint, File)>, Error> {
        self.catalog().open_original(id)
    }

    /// Pins a checkpoint, durably, and gives it with the hold that is in force: the first one, until it is released.
    pub fn hold(&self, id: CheckpointId, hold: &Hold) -> Result<Option<Checkpoint>, Error> {
        self.catalog().hold(id, hold)
    }

    /// Lets a checkpoint go, durably. No error where nothing pins it.
    pub fn release(&self, id: CheckpointId) -> Result<Option<Checkpoint>, Error> {
        self.catalog().release(id)
    }

    /// Removes a checkpoint with all that is beside it, durably, and tells what it was; `None` where there is no such.
    ///
    /// # Errors
    /// [`Error::Held`] where a hold pins it.
    pub fn delete(&self, id: CheckpointId) -> Result<Option<Checkpoint>, Error> {
        self.catalog().delete(id)
    }
}
