//! Whether the memory in an archive has as many pages as its page maps say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::BufRead;

use super::image::Entries;
use super::page_map::{Elsewhere, MAX_PAGE_MAP_ENTRY, Run, pages_id};
use crate::Error;
use crate::stream::read_pieces;

/// The smallest and the largest page of any machine that CRIU supports, in bytes.
pub(crate) const PAGE_SIZES: std::ops::RangeInclusive<u64> = 4 << 10..=64 << 10;

/// The size of a page in bytes, in an image of `bytes` bytes whose maps list `pages` pages. `None` if that is no size of pages.
pub(crate) fn page_size(bytes: u64, pages: u64) -> Option<u64> {
    let size = bytes.checked_div(pages)?;
    let fits = PAGE_SIZES.contains(&size) && size.is_power_of_two();
    (fits && size.checked_mul(pages) == Some(bytes)).then_some(size)
}

/// Pages that page maps list, and bytes of memory that are there.
#[derive(Debug, Default)]
pub(crate) struct PageCounts {
    /// By the number of the `pages-ID.img`.
    listed: BTreeMap<u64, u64>,
    bytes: BTreeMap<u64, u64>,
    /// Images of pages whose size in bytes their maps do not tell, since they are compressed.
    compressed: BTreeSet<u64>,
    /// Names of page maps that cannot be read.
    damaged: BTreeSet<String>,
    /// Pages that are not in the archive as they were in memory, by the name of their map.
    absent: BTreeMap<String, AbsentPages>,
}

/// The number of pages of one map that are not in the archive as they were in memory.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AbsentPages {
    /// Pages in a parent checkpoint.
    pub(crate) in_parent: u64,
    /// Pages that were to be fetched later.
    pub(crate) lazy: u64,
    /// Pages that are there, compressed.
    pub(crate) compressed: u64,
}

/// An image of pages that does not fit its page maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The number of the `pages-ID.img`.
    pub(crate) id: u64,
    /// The image's size in bytes; `None` if there is none.
    bytes: Option<u64>,
    /// The number of pages that the maps list.
    pages: u64,
}

impl PageCounts {
    /// Notes a `pages-ID.img` of `bytes` bytes.
    pub(crate) fn add_pages(&mut self, id: u64, bytes: u64) {
        self.bytes.insert(id, bytes);
    }

    /// Reads the contents of the page map `name`: a process's, or one of shared memory.
    pub(crate) fn add_map(&mut self, name: &str, contents: &mut dyn BufRead) -> Result<(), Error> {
        let (mut entries, mut id) = (Entries::new(MAX_PAGE_MAP_ENTRY), None);
        let (mut sum, mut absent) = (0u64, AbsentPages::default());
        read_pieces(contents, |piece| {
            entries.push(piece, |entry| {
                if id.is_none() {
                    id = pages_id(entry);
                    return id.is_some();
                }
                let run = Run::read(entry);
                sum = sum.saturating_add(run.map_or(0, Run::pages_in_image));
                absent.add(run.unwrap_or_default());
                run.is_some()
            });
            Ok(())
        })?;
        if absent != AbsentPages::default() {
            self.absent.insert(name.to_owned(), absent);
        }
        match id.filter(|_| entries.is_whole()) {
            Some(id) => {
                let listed = self.listed.entry(id).or_default();
                *listed = listed.saturating_add(sum);
                if absent.compressed > 0 {
                    self.compressed.insert(id);
                }
            }
            None => drop(self.damaged.insert(name.to_owned())),
        }
        Ok(())
    }

    /// Memory that does not fit its page maps. With a page more or less, CRIU's restorer hangs for ever.
    pub(crate) fn mismatches(&self) -> impl Iterator<Item = Mismatch> + '_ {
        self.plain().filter_map(|(id, pages)| {
            let bytes = self.bytes.get(&id).copied();
            let present = bytes.unwrap_or_default();
            let fits = match pages {
                0 => present == 0,
                pages => page_size(present, pages).is_some(),
            };
            (!fits).then_some(Mismatch { id, bytes, pages })
        })
    }

    /// The size of a page in bytes, for each image of pages.
    pub(crate) fn page_sizes(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let broken: BTreeSet<_> = self.mismatches().map(|mismatch| mismatch.id).collect();
        self.plain().filter_map(move |(id, pages)| {
            let bytes = self.bytes.get(&id).filter(|_| !broken.contains(&id))?;
            Some((id, bytes.checked_div(pages)?))
        })
    }

    /// Names of page maps that cannot be read. Redaction passes them on as the runtime wrote them.
    pub(crate) fn unreadable_maps(&self) -> impl Iterator<Item = &str> {
        self.damaged.iter().map(String::as_str)
    }

    /// Pages that are not in the archive as they were in memory, by the name of their map.
    pub(crate) fn absent(&self) -> impl Iterator<Item = (&str, AbsentPages)> {
        self.absent
            .iter()
            .map(|(name, absent)| (name.as_str(), *absent))
    }

    /// Images of pages that are not compressed, with the number of pages that their maps list.
    fn plain(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.listed
            .iter()
            .map(|(id, pages)| (*id, *pages))
            .filter(|(id, _)| !self.compressed.contains(id))
    }
}

impl AbsentPages {
    fn add(&mut self, run: Run) {
        for (count, applies) in [
            (
                &mut self.in_parent,
                run.elsewhere == Some(Elsewhere::Parent),
            ),
            (&mut self.lazy, run.elsewhere == Some(Elsewhere::Later)),
            (&mut self.compressed, run.compressed),
        ] {
            if applies {
                *count = count.saturating_add(run.pages);
            }
        }
    }
}

impl Mismatch {
    /// Whether the image is not in the archive at all.
    pub(crate) fn is_missing(self) -> bool {
        self.bytes.is_none()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, bytes, pages } = self;
        match bytes {
            Some(bytes) => write!(f, "`pages-{id}.img` has {bytes} bytes for {pages} pages"),
            None => write!(f, "`pages-{id}.img` with {pages} pages is missing"),
        }
    }
}
