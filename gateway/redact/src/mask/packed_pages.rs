//! Memory pages that CRIU has compressed: which bytes of a `pages-ID.img` are which pages.

use crate::Error;

/// The parts of an image in which pages are compressed, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct PackedPages {
    parts: Vec<Part>,
    /// The lengths of all compressed pages.
    lengths: Vec<u32>,
}

/// A part of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Pages as they were in memory.
    Plain(u64),
    /// Compressed pages.
    Packed(usize),
}

impl PackedPages {
    /// For an image that begins with so many pages that are not compressed.
    pub(super) fn after(plain: u64) -> Self {
        let mut pages = Self::default();
        pages.add_plain(plain);
        pages
    }

    pub(super) fn add(&mut self, lengths: &[u32]) {
        self.lengths.extend(lengths);
        match self.parts.last_mut() {
            Some(Part::Packed(count)) => *count += lengths.len(),
            _ => self.parts.push(Part::Packed(lengths.len())),
        }
    }

    pub(super) fn add_plain(&mut self, pages: u64) {
        match self.parts.last_mut() {
            _ if pages == 0 => {}
            Some(Part::Plain(count)) => *count = count.saturating_add(pages),
            _ => self.parts.push(Part::Plain(pages)),
        }
    }

    /// A bound for the memory that this takes, in lengths.
    pub(super) fn count(&self) -> usize {
        self.lengths.len() + 4 * self.parts.len()
    }

    /// The parts, each with the lengths of its compressed pages.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Part, &[u32])> {
        let mut lengths = self.lengths.as_slice();
        self.parts.iter().map(move |part| {
            let count = match part {
                Part::Plain(_) => 0,
                Part::Packed(count) => *count,
            };
            (*part, lengths.split_off(..count).unwrap_or_default())
        })
    }
}

/// The error for compressed pages of `pages-ID.img` that cannot be searched or masked.
pub(super) fn packed_pages_error(id: u64, reason: &'static str) -> Error {
    Error::Opaque {
        member: format!("checkpoint/pages-{id}.img"),
        reason,
    }
}
