//! Which checkpoints a list shows, and one page of it.

use gateway_core::{Checkpoint, CheckpointId};
use jiff::Timestamp;

use crate::entry::Entry;

/// Conditions that a checkpoint must meet. A field that is not set matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The pod's namespace.
    pub namespace: Option<String>,
    /// The pod's name.
    pub pod: Option<String>,
    /// The container's name.
    pub container: Option<String>,
    /// Begun at this time or later.
    pub since: Option<Timestamp>,
    /// Begun before this time.
    pub until: Option<Timestamp>,
}

/// A part of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most as many as were asked for.
    pub checkpoints: Vec<Checkpoint>,
    /// The id after which the list continues; `None` at its end.
    pub next: Option<CheckpointId>,
}

impl Filter {
    pub(crate) fn matches(&self, entry: &Entry) -> bool {
        let named = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == name)
        };
        named(&self.namespace, entry.target.namespace())
            && named(&self.pod, entry.target.pod())
            && named(&self.container, entry.target.container())
            && self.since.is_none_or(|since| entry.created_at >= since)
            && self.until.is_none_or(|until| entry.created_at < until)
    }
}
