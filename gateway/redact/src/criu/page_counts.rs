//! Whether the memory in an archive has as many pages as its page maps say.

use std::collections::BTreeMap;
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
    maps: BTreeMap<PageMapName, MapCounts>,
    /// By the number of the `pages-ID.img`.
    bytes: BTreeMap<u64, u64>,
}

/// The name of a page map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PageMapName {
    /// A process's: `pagemap-PID.img`.
    Process(u64),
    /// That of memory that processes share: `pagemap-shmem-ID.img`.
    Shared(u64),
}

/// The pages that one map lists.
#[derive(Debug, Clone, Copy, Default)]
struct MapCounts {
    /// The number of the `pages-ID.img`; `None` where the map cannot be read.
    pages_id: Option<u64>,
    /// The number of pages in the image.
    pages: u64,
    absent: AbsentPages,
}

/// The pages that all maps of one `pages-ID.img` list.
#[derive(Debug, Clone, Copy, Default)]
struct Listed {
    pages: u64,
    /// Their size in bytes is not in the maps.
    compressed: bool,
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

    /// Reads the contents of the page map `name`. Of maps with the same name the last one counts.
    pub(crate) fn add_map(
        &mut self,
        name: PageMapName,
        contents: &mut dyn BufRead,
    ) -> Result<(), Error> {
        let (mut entries, mut map) = (Entries::new(MAX_PAGE_MAP_ENTRY), MapCounts::default());
        read_pieces(contents, |piece| {
            entries.push(piece, |entry| map.read(entry));
            Ok(())
        })?;
        if !entries.is_whole() {
            map.pages_id = None;
        }
        self.maps.insert(name, map);
        Ok(())
    }

    /// Memory that does not fit its page maps. With a page more or less, CRIU's restorer hangs for ever.
    pub(crate) fn mismatches(&self) -> impl Iterator<Item = Mismatch> + '_ {
        self.listed().into_iter().filter_map(|(id, listed)| {
            let bytes = self.bytes.get(&id).copied();
            let fits = bytes
                .is_some_and(|bytes| listed.compressed || are_whole_pages(bytes, listed.pages));
            (!fits).then_some(Mismatch {
                id,
                bytes,
                pages: listed.pages,
            })
        })
    }

    /// The size of a page in bytes, for each image of pages that fits its maps.
    pub(crate) fn page_sizes(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.listed().into_iter().filter_map(|(id, listed)| {
            let bytes = self.bytes.get(&id).filter(|_| !listed.compressed)?;
            Some((id, page_size(*bytes, listed.pages)?))
        })
    }

    /// Page maps that cannot be read. Redaction passes them on as the runtime wrote them.
    pub(crate) fn unreadable_maps(&self) -> impl Iterator<Item = PageMapName> + '_ {
        let maps = self.maps.iter();
        maps.filter(|(_, map)| map.pages_id.is_none())
            .map(|(name, _)| *name)
    }

    /// Pages that are not in the archive as they were in memory, by their map.
    pub(crate) fn absent(&self) -> impl Iterator<Item = (PageMapName, AbsentPages)> + '_ {
        let maps = self.maps.iter();
        maps.filter(|(_, map)| map.absent != AbsentPages::default())
            .map(|(name, map)| (*name, map.absent))
    }

    /// The numbers of images in which pages are compressed.
    pub(crate) fn compressed(&self) -> impl Iterator<Item = u64> {
        let listed = self.listed().into_iter();
        listed
            .filter(|(_, listed)| listed.compressed)
            .map(|(id, _)| id)
    }

    /// By the number of the `pages-ID.img`.
    fn listed(&self) -> BTreeMap<u64, Listed> {
        let mut all: BTreeMap<u64, Listed> = BTreeMap::new();
        for map in self.maps.values() {
            if let Some(id) = map.pages_id {
                let listed = all.entry(id).or_default();
                listed.pages = listed.pages.saturating_add(map.pages);
                listed.compressed |= map.absent.compressed > 0;
            }
        }
        all
    }
}

impl fmt::Display for PageMapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(pid) => write!(f, "checkpoint/pagemap-{pid}.img"),
            Self::Shared(id) => write!(f, "checkpoint/pagemap-shmem-{id}.img"),
        }
    }
}

impl MapCounts {
    /// Reads the next entry; `false` if it cannot be read.
    fn read(&mut self, entry: &[u8]) -> bool {
        if self.pages_id.is_none() {
            self.pages_id = pages_id(entry);
            return self.pages_id.is_some();
        }
        let Some(run) = Run::read(entry) else {
            return false;
        };
        self.pages = self.pages.saturating_add(run.pages_in_image());
        self.absent.add(run);
        true
    }
}

/// Whether so many bytes are so many pages of one size.
fn are_whole_pages(bytes: u64, pages: u64) -> bool {
    match pages {
        0 => bytes == 0,
        pages => page_size(bytes, pages).is_some(),
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
