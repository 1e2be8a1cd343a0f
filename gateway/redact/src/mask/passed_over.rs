//! Members that a search for credentials could not look into.

use serde::Serialize;

/// The most of them that are named.
const MAX_NAMED: usize = 100;

/// Contents that were not looked at to their end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NotLookedAt {
    /// The first of them.
    pub contents: Vec<PassedOver>,
    /// Bytes of all of them, packed as they were.
    pub bytes: u64,
    /// The number of those that are not named.
    pub not_named: u64,
}

/// A member, or a file in one, that was not looked at to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// `container.log`, or `rootfs-diff.tar:/data/backup.tar.gz`.
    pub place: String,
    /// Its bytes, packed as they were.
    pub bytes: u64,
    /// Why it was not looked at.
    pub reason: String,
}

impl NotLookedAt {
    pub(crate) fn add(&mut self, passed_over: PassedOver) {
        self.bytes = self.bytes.saturating_add(passed_over.bytes);
        if self.contents.len() < MAX_NAMED {
            self.contents.push(passed_over);
        } else {
            self.not_named += 1;
        }
    }
}
