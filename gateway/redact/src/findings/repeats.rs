//! Members that stand in an archive more than once.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::tar::{Member, for_error};
use crate::walk::Extent;

/// The most repeated members that are compared.
const MAX_REPEATS: usize = 1000;

/// The members so far, and those that came again. Names are kept as hashes, since there may be a million.
#[derive(Debug, Default)]
pub(super) struct RepeatSurvey {
    first: HashMap<u64, Seen>,
    repeats: Vec<Repeat>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    kind: u8,
    extent: Extent,
}

/// A member that came again.
#[derive(Debug)]
pub(super) struct Repeat {
    pub(super) name: String,
    /// Contents that must be compared; `None` where kinds or sizes differ.
    pub(super) extents: Option<(Extent, Extent)>,
}

impl RepeatSurvey {
    pub(super) fn add(&mut self, member: &Member, extent: Extent) {
        let mut hasher = DefaultHasher::new();
        member.name.hash(&mut hasher);
        let seen = Seen {
            kind: member.kind_byte(),
            extent,
        };
        let Some(first) = self.first.insert(hasher.finish(), seen) else {
            return;
        };
        let folder = first.kind == b'5' && seen.kind == b'5';
        if !folder && self.repeats.len() < MAX_REPEATS {
            let alike = first.kind == seen.kind && first.extent.size == extent.size;
            self.repeats.push(Repeat {
                name: for_error(&member.name),
                extents: alike.then_some((first.extent, extent)),
            });
        }
    }

    pub(super) fn into_repeats(self) -> Vec<Repeat> {
        self.repeats
    }
}
