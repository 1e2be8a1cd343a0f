//! A published checkpoint as the index remembers it.

use gateway_core::{Checkpoint, CheckpointId, Hold, Target};
use jiff::Timestamp;

use crate::quota::Usage;

/// The part of a published checkpoint that stays in memory, so that no call reads the whole directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: CheckpointId,
    /// The archive's file name.
    pub(crate) name: Box<str>,
    pub(crate) target: Target,
    pub(crate) created_at: Timestamp,
    /// Of the archive and its original together.
    pub(crate) bytes: u64,
    pub(crate) hold: Option<Hold>,
}

impl Entry {
    pub(crate) fn new(checkpoint: &Checkpoint, name: &str) -> Self {
        let original = checkpoint
            .original
            .as_ref()
            .map_or(0, |original| original.bytes);
        Self {
            id: checkpoint.id,
            name: name.into(),
            target: checkpoint.target.clone(),
            created_at: checkpoint.created_at,
            bytes: checkpoint.bytes.saturating_add(original),
            hold: checkpoint.hold.clone(),
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            bytes: self.bytes,
            count: 1,
        }
    }
}
