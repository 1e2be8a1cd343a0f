//! Contents that could not be searched or masked, for the summary.

use gateway_core::{OpaqueContent, OpaqueSummary};

/// The most that are named.
const MAX_NAMED: usize = 200;

/// Opaque contents, in order.
#[derive(Debug, Default)]
pub(in crate::mask) struct Notes {
    all: Vec<OpaqueContent>,
    /// Those that are not named.
    more: Vec<(u64, bool)>,
}

impl Notes {
    pub(super) fn len(&self) -> usize {
        self.all.len() + self.more.len()
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.all.truncate(length);
        self.more.truncate(length.saturating_sub(self.all.len()));
    }

    pub(in crate::mask) fn add(&mut self, content: OpaqueContent) {
        if self.all.len() < MAX_NAMED {
            self.all.push(content);
        } else {
            self.more.push((content.bytes, content.dropped));
        }
    }

    pub(in crate::mask) fn extend(&mut self, other: Self) {
        other.all.into_iter().for_each(|content| self.add(content));
        self.more.extend(other.more);
    }

    /// Adds those of `other` that were left out.
    pub(in crate::mask) fn extend_dropped(&mut self, other: Self) {
        let dropped = other.all.into_iter().filter(|content| content.dropped);
        dropped.for_each(|content| self.add(content));
        self.more
            .extend(other.more.into_iter().filter(|(_, dropped)| *dropped));
    }

    pub(in crate::mask) fn summary(&self) -> OpaqueSummary {
        let named = self
            .all
            .iter()
            .map(|content| (content.bytes, content.dropped));
        let all = named.chain(self.more.iter().copied());
        let sum = |wanted: bool| {
            let those = all.clone().filter(|(_, dropped)| *dropped == wanted);
            those.fold(0u64, |sum, (bytes, _)| sum.saturating_add(bytes))
        };
        OpaqueSummary {
            kept_bytes: sum(false),
            dropped_bytes: sum(true),
            contents: self.all.clone(),
            not_named: self.more.len() as u64,
        }
    }
}
