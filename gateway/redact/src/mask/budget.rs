//! Bounds of what one pass unpacks.

use std::cell::Cell;

/// Memory that the windows of nested streams and the indexes of zip archives take together, in bytes.
const MAX_MEMORY: u64 = 45 << 20;

/// What is left for a pass. Shared by all streams that are open at once.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: Cell<u64>,
    members: Cell<u64>,
    memory: Cell<u64>,
}

/// Memory that is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Memory<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    /// For at most `bytes` unpacked bytes and `members` members.
    pub(super) fn new(bytes: u64, members: u64) -> Self {
        Self {
            bytes: Cell::new(bytes),
            members: Cell::new(members),
            memory: Cell::new(MAX_MEMORY),
        }
    }

    /// Counts unpacked bytes; `false` if there are too many.
    pub(super) fn take_bytes(&self, bytes: u64) -> bool {
        take(&self.bytes, bytes)
    }

    /// Counts one more member; `false` if there are too many.
    pub(super) fn take_member(&self) -> bool {
        take(&self.members, 1)
    }

    /// The number of further members that are allowed.
    pub(super) fn members_left(&self) -> u64 {
        self.members.get()
    }

    /// Members that are read a second time do not count again.
    pub(super) fn restore_members(&self, left: u64) {
        self.members.set(left);
    }

    /// Memory for a window; `None` if there is not enough.
    pub(super) fn memory(&self, bytes: u64) -> Option<Memory<'_>> {
        let budget = self;
        take(&self.memory, bytes).then(|| Memory { budget, bytes })
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        let memory = &self.budget.memory;
        memory.set(memory.get().saturating_add(self.bytes));
    }
}

fn take(left: &Cell<u64>, wanted: u64) -> bool {
    let rest = left.get().checked_sub(wanted);
    left.set(rest.unwrap_or(left.get()));
    rest.is_some()
}
