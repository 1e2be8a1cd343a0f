//! Access to published checkpoints.

use std::fs::File;

use gateway_core::{Checkpoint, CheckpointId, Container, Hold, Target};

use crate::{Error, Filter, Page, Store};

/// Access to published checkpoints. Every call blocks for as long as the disk does. Files that cannot be read as a checkpoint
/// of this gateway are skipped: an archive without metadata is not known.
///
/// # Errors
/// [`Error::Io`] where the directory cannot be read or changed; others where they are listed.
impl Store {
    /// The newest `limit` (1 to 1000) checkpoints that match `filter` and are older than `after`: newest first, by their ids.
    /// A page may end early where metadata is large, so only [`Page::next`] shows the end of the list.
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

    /// The checkpoint with this id; `None` where there is none.
    pub fn find(&self, id: CheckpointId) -> Result<Option<Checkpoint>, Error> {
        self.catalog().find(id)
    }

    /// The container of `checkpoint` as policies got it when the checkpoint was taken. The metadata may have its texts masked.
    /// `None` if the checkpoint was removed meanwhile.
    ///
    /// # Errors
    /// [`Error::Altered`] where the file that keeps it is missing or damaged.
    pub fn container(&self, checkpoint: &Checkpoint) -> Result<Option<Container>, Error> {
        self.catalog().container(checkpoint)
    }

    /// Opens the archive for reading. It stays readable while it is open, even if the checkpoint is removed.
    ///
    /// # Errors
    /// [`Error::Altered`] where its kind, size or mode is not that of the published file.
    pub fn open_archive(&self, id: CheckpointId) -> Result<Option<(Checkpoint, File)>, Error> {
        self.catalog().open_archive(id)
    }

    /// Opens the original as it is kept, like [`Store::open_archive`]: sealed, unless [`gateway_core::Original::sealed`] is
    /// false. `None` where none is kept.
    pub fn open_original(&self, id: CheckpointId) -> Result<Option<(Checkpoint, File)>, Error> {
        self.catalog().open_original(id)
    }

    /// Puts a hold on a checkpoint, durably, and returns it with the hold in force: the first one, until it is released.
    pub fn hold(&self, id: CheckpointId, hold: &Hold) -> Result<Option<Checkpoint>, Error> {
        self.catalog().hold(id, hold)
    }

    /// Releases the hold on a checkpoint, durably. Not an error where there is none.
    pub fn release(&self, id: CheckpointId) -> Result<Option<Checkpoint>, Error> {
        self.catalog().release(id)
    }

    /// Removes a checkpoint with all its files, durably, and returns it; `None` where there is none with this id.
    ///
    /// # Errors
    /// [`Error::Held`] where there is a hold on it.
    pub fn delete(&self, id: CheckpointId) -> Result<Option<Checkpoint>, Error> {
        self.catalog().delete(id)
    }
}
