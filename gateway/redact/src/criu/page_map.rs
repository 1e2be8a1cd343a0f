//! `pagemap-PID.img`: which pages of a process's memory lie where in `pages-ID.img`.

use super::protobuf::{Value, fields, varint};

/// The largest entry, in bytes. Where pages are compressed it lists the length of each: a GiB of memory takes half of this.
pub(crate) const MAX_PAGE_MAP_ENTRY: usize = 1 << 20;

/// The flag of pages that are in a parent checkpoint (CRIU, `PE_PARENT`).
const PARENT: u64 = 1;
/// The flag of pages that may be fetched later (CRIU, `PE_LAZY`). They are in the image, too, if `PE_PRESENT` is set.
const LAZY: u64 = 2;
/// The flag of pages that are in the image (CRIU, `PE_PRESENT`).
const PRESENT: u64 = 4;

/// The lengths in bytes of compressed pages, in order: 0 for a page of zeros without contents. `None` where the entry does not
/// say them, or says another sum.
pub(crate) fn packed_lengths(entry: &[u8], pages: u64) -> Option<Vec<u32>> {
    let (mut lengths, mut wanted) = (Vec::new(), None);
    for field in fields(entry) {
        match field? {
            (6, Value::Number(length)) => lengths.push(u32::try_from(length).ok()?),
            (6, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    lengths.push(u32::try_from(varint(&mut packed)?).ok()?);
                }
            }
            (7, Value::Number(sum)) => wanted = Some(sum),
            _ => {}
        }
    }
    let sum: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
    let fits = lengths.len() as u64 == pages && wanted.is_none_or(|wanted| wanted == sum);
    fits.then_some(lengths)
}

/// Pages that follow one another in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Run {
    pub(crate) address: u64,
    /// The number of pages.
    pub(crate) pages: u64,
    /// Whether the pages are in the image.
    pub(crate) present: bool,
    /// The place of pages that are not in the image but must be somewhere.
    pub(crate) elsewhere: Option<Elsewhere>,
    /// Whether the pages are compressed in the image.
    pub(crate) compressed: bool,
}

/// The place of pages that are not in the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// A parent checkpoint.
    Parent,
    /// The process that was dumped: they were to be fetched later.
    Later,
}

impl Run {
    /// Reads a `pagemap_entry`: 1 `vaddr`, 2 `compat_nr_pages`, 3 `in_parent`, 4 `flags`, 5 `nr_pages`, 6 to 8 the
    /// lengths of compressed pages.
    pub(crate) fn read(entry: &[u8]) -> Option<Self> {
        let mut run = Self::default();
        let (mut old_pages, mut flags, mut in_parent) = (None, None, false);
        for field in fields(entry) {
            match field? {
                (1, Value::Number(value)) => run.address = value,
                (2, Value::Number(value)) => old_pages = Some(value),
                (3, Value::Number(value)) => in_parent = value != 0,
                (4, Value::Number(value)) => flags = Some(value),
                (5, Value::Number(value)) => run.pages = value,
                (6..=8, _) => run.compressed = true,
                _ => {}
            }
        }
        run.present = flags.map_or(!in_parent, |flags| flags & PRESENT != 0);
        let flags = flags.unwrap_or_default();
        run.elsewhere = match flags {
            _ if run.present => None,
            flags if in_parent || flags & PARENT != 0 => Some(Elsewhere::Parent),
            flags if flags & LAZY != 0 => Some(Elsewhere::Later),
            _ => None,
        };
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
