//! Bounds of what one pass unpacks.

use std::cell::Cell;

use crate::unpack::Parts;

/// Memory that the windows of nested streams and the indexes of zip archives take together, in bytes.
const MAX_MEMORY: u64 = 45 << 20;

/// To set up an encoder costs as much as so many parts.
const PARTS_PER_PACKING: u64 = 128;

/// What is left for a pass. Shared by all streams that are open at once.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: Cell<u64>,
    members: Cell<u64>,
    memory: Cell<u64>,
    parts: Parts,
}

/// What is left when something is begun that may be read again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    members: u64,
    parts: u64,
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
            parts: Parts::new(),
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

    /// Counts one more member of a zip archive, which costs about as much as two parts; `false` if there are too many.
    pub(super) fn take_zip_member(&self) -> bool {
        self.take_member() && self.parts.take() && self.parts.take()
    }

    /// Counts one attempt to pack contents at their old length; `false` if there are too many.
    pub(super) fn take_packing(&self) -> bool {
        (0..PARTS_PER_PACKING).all(|_| self.parts.take())
    }

    /// The number of further members that are allowed.
    pub(super) fn members_left(&self) -> u64 {
        self.members.get()
    }

    /// Parts of compressed contents.
    pub(super) fn parts(&self) -> &Parts {
        &self.parts
    }

    pub(super) fn left(&self) -> Left {
        Left {
            members: self.members.get(),
            parts: self.parts.left(),
        }
    }

    /// What is read a second time does not count again.
    pub(super) fn restore(&self, left: Left) {
        self.members.set(left.members);
        self.parts.restore(left.parts);
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
