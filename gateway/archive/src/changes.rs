//! Changes to published checkpoints: holds and removal.

use gateway_core::{Checkpoint, CheckpointId, Hold};

use crate::catalog::Catalog;
use crate::{Error, facts, metadata, name};

impl Catalog {
    pub(crate) fn hold(&self, id: CheckpointId, hold: &Hold) -> Result<Option<Checkpoint>, Error> {
        let _changes = self.lock_changes();
        let Some(entry) = self.entry(id) else {
            return Ok(None);
        };
        let Some((checkpoint, _)) = self.load(&entry)? else {
            return Ok(None);
        };
        // The first hold stays in force, with its author and time, however often one is asked for again.
        let first = metadata::read_hold(&self.directory, &entry.name)?;
        if first.is_none() {
            metadata::write_hold(&self.directory, &entry.name, hold)?;
        }
        let hold = first.unwrap_or_else(|| hold.clone());
        self.index().set_hold(id, Some(hold.clone()));
        Ok(Some(Checkpoint {
            hold: Some(hold),
            ..checkpoint
        }))
    }

    pub(crate) fn release(&self, id: CheckpointId) -> Result<Option<Checkpoint>, Error> {
        let _changes = self.lock_changes();
        let Some(entry) = self.entry(id) else {
            return Ok(None);
        };
        let Some((checkpoint, _)) = self.load(&entry)? else {
            return Ok(None);
        };
        metadata::remove_hold(&self.directory, &entry.name)?;
        self.index().set_hold(id, None);
        Ok(Some(Checkpoint {
            hold: None,
            ..checkpoint
        }))
    }

    pub(crate) fn delete(&self, id: CheckpointId) -> Result<Option<Checkpoint>, Error> {
        let _changes = self.lock_changes();
        self.remove(id)
    }

    /// Removes a checkpoint; the caller has locked changes. The archive is removed first: without it there is no checkpoint,
    /// and the next start removes the other files if a crash left them.
    pub(crate) fn remove(&self, id: CheckpointId) -> Result<Option<Checkpoint>, Error> {
        if self.is_held(id)? {
            return Err(Error::Held { id });
        }
        let Some(entry) = self.entry(id) else {
            return Ok(None);
        };
        let Some((checkpoint, _)) = self.load(&entry)? else {
            return Ok(None);
        };
        self.directory.remove(&entry.name)?;
        self.index().remove(id);
        self.directory.sync()?;
        for sealed in [true, false] {
            self.directory
                .remove(&metadata::original_name(&entry.name, sealed))?;
        }
        self.directory.remove(&facts::name(&entry.name))?;
        self.directory
            .remove(&format!("{}{}", entry.name, name::METADATA))?;
        self.directory.sync()?;
        Ok(Some(checkpoint))
    }

    /// Whether there is a hold in memory or in the directory: one that an operator put there by hand counts.
    pub(crate) fn is_held(&self, id: CheckpointId) -> Result<bool, Error> {
        let Some(entry) = self.entry(id) else {
            return Ok(false);
        };
        let on_disk = metadata::read_hold(&self.directory, &entry.name)?;
        let held = on_disk.is_some() || entry.hold.is_some();
        if entry.hold.is_none() && on_disk.is_some() {
            self.index().set_hold(id, on_disk);
        }
        Ok(held)
    }
}
