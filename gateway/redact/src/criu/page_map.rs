//! `pagemap-PID.img`: which pages of a process's memory lie where in `pages-ID.img`.

use super::protobuf::{Value, fields};

/// The largest entry, in bytes.
pub(crate) const MAX_PAGE_MAP_ENTRY: usize = 4 << 10;

/// The flag of pages that are in the image (CRIU, `PE_PRESENT`).
const PRESENT: u64 = 4;

/// Pages that follow one another in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Run {
    pub(crate) address: u64,
    /// The number of pages.
    pub(crate) pages: u64,
    /// Whether the pages are in the image.
    pub(crate) present: bool,
}

impl Run {
    /// Reads a `pagemap_entry`: 1 `vaddr`, 2 `compat_nr_pages`, 3 `in_parent`, 4 `flags`, 5 `nr_pages`.
    pub(crate) fn read(entry: &[u8]) -> Option<Self> {
        let mut run = Self {
            present: true,
            ..Self::default()
        };
        let (mut old_pages, mut flags) = (None, None);
        for field in fields(entry) {
            match field? {
                (1, Value::Number(value)) => run.address = value,
                (2, Value::Number(value)) => old_pages = Some(value),
                (3, Value::Number(value)) => run.present &= value == 0,
                (4, Value::Number(value)) => flags = Some(value),
                (5, Value::Number(value)) => run.pages = value,
                _ => {}
            }
        }
        run.present = flags.map_or(run.present, |flags| flags & PRESENT != 0);
        run.pages = if run.pages == 0 {
            old_pages?
        } else {
            run.pages
        };
        Some(run)
    }

    /// The number of pages that are in the image.
    pub(crate) fn pages_in_image(self) -> u64 {
        if self.present { self.pages } else { 0 }
    }
}

/// The number of the `pages-ID.img` that a page map belongs to, from its first entry, a `pagemap_head`.
pub(crate) fn pages_id(head: &[u8]) -> Option<u64> {
    fields(head).find_map(|field| match field {
        Some((1, Value::Number(id))) => Some(Some(id)),
        Some(_) => None,
        None => Some(None),
    })?
}
