//! Locates the processes' environments in the memory pages.
//!
//! A page map counts pages and does not say how large they are. The image of the pages does: it has as many bytes as its maps list
//! pages, so its size tells the size of a page, whichever machine the archive comes from.

use std::collections::{BTreeMap, BTreeSet};

use super::packed_pages::{PackedPages, packed_pages_error};
use crate::Error;
use crate::criu::{AddressSpace, PAGE_SIZES, Run, packed_lengths, page_size, pages_id};

/// The most runs of pages that environments may lie in, and the most pieces of environments in them.
const MAX_RUNS: usize = 1 << 18;
const MAX_SEGMENTS: usize = 1 << 20;
/// The most environments of one process. There is one, but nothing keeps an archive from naming more.
const MAX_ENVIRONMENTS: usize = 16;
/// The most compressed pages whose lengths are kept: 16 GiB of memory in pages of 4 KiB.
const MAX_PACKED: usize = 4 << 20;

/// The positions of environments in each `pages-ID.img`. Outlives a pass: what one learns too late serves the next.
#[derive(Debug)]
pub(super) struct Layout {
    /// Whether memory is searched: if not, nothing in it is masked, and compressed pages are not unpacked.
    searched: bool,
    /// The bounds of environments in memory, by process.
    environments: BTreeMap<u64, BTreeSet<(u64, u64)>>,
    /// Runs of pages in which environments may lie, by the number of the `pages-ID.img`.
    runs: BTreeMap<u64, BTreeSet<EnvironmentRun>>,
    run_count: usize,
    /// The number of pages that this pass's page maps list in each `pages-ID.img`, and those of the pass before.
    pages: BTreeMap<u64, u64>,
    earlier_pages: BTreeMap<u64, u64>,
    /// The size of a page in bytes, once an image has told it.
    page_size: Option<u64>,
    /// The process of each `pages-ID.img`.
    processes: BTreeMap<u64, u64>,
    /// Processes whose page maps this pass has read.
    mapped: BTreeSet<u64>,
    /// Pages that this pass has written.
    streamed: BTreeSet<u64>,
    late: bool,
    /// Where pages are compressed, by the number of the `pages-ID.img`.
    packed: BTreeMap<u64, PackedPages>,
    /// What all of them count together.
    packed_count: usize,
    /// Images whose compressed pages were searched.
    unpacked: BTreeSet<u64>,
}

/// A run of pages in which an environment may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct EnvironmentRun {
    process: u64,
    address: u64,
    pages: u64,
    /// The number of pages before it in the image.
    before: u64,
}

/// Bytes of an environment in a `pages-ID.img`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    /// The position in the image.
    pub(super) at: u64,
    pub(super) length: u64,
    /// The address in the process's memory.
    pub(super) address: u64,
}

/// A `pagemap-PID.img` that is being read.
#[derive(Debug)]
pub(super) struct PageMap {
    /// `None` for memory that processes share.
    process: Option<u64>,
    /// The number of the `pages-ID.img`, once the first entry is read.
    pages: Option<u64>,
    /// The number of pages before the next run.
    before: u64,
}

impl Layout {
    pub(super) fn new(searched: bool) -> Self {
        Self {
            searched,
            environments: BTreeMap::new(),
            runs: BTreeMap::new(),
            run_count: 0,
            pages: BTreeMap::new(),
            earlier_pages: BTreeMap::new(),
            page_size: None,
            processes: BTreeMap::new(),
            mapped: BTreeSet::new(),
            streamed: BTreeSet::new(),
            late: false,
            packed: BTreeMap::new(),
            packed_count: 0,
            unpacked: BTreeSet::new(),
        }
    }

    /// The process of each `pages-ID.img`.
    pub(super) fn processes(&self) -> &BTreeMap<u64, u64> {
        &self.processes
    }

    /// Ends a pass. Returns whether it learnt something that it would have needed earlier.
    pub(super) fn end_pass(&mut self) -> bool {
        self.mapped.clear();
        self.earlier_pages = std::mem::take(&mut self.pages);
        self.streamed.clear();
        std::mem::take(&mut self.late)
    }

    /// Reads the entry of `mm-PID.img`; `false` if it does not bound an environment.
    pub(super) fn add_memory(&mut self, process: u64, entry: &[u8]) -> bool {
        let space = AddressSpace::read(entry);
        let Some((start, end)) =
            space.and_then(|space| space.environment_start.zip(space.environment_end))
        else {
            return false;
        };
        let environments = self.environments.entry(process).or_default();
        if start < end && environments.insert((start, end)) {
            self.late |= self.mapped.contains(&process);
        }
        environments.len() <= MAX_ENVIRONMENTS
    }

    /// Begins a page map.
    pub(super) fn begin_map(&mut self, process: Option<u64>) -> PageMap {
        self.mapped.extend(process);
        PageMap {
            process,
            pages: None,
            before: 0,
        }
    }

    /// Reads the next entry of `map`; `false` if it cannot be read.
    pub(super) fn add_run(&mut self, map: &mut PageMap, entry: &[u8]) -> Result<bool, Error> {
        let Some(pages) = map.pages else {
            map.pages = pages_id(entry);
            self.processes.extend(map.pages.zip(map.process));
            if let Some(packed) = map.pages.and_then(|pages| self.packed.remove(&pages)) {
                self.packed_count = self.packed_count.saturating_sub(packed.count());
            }
            return Ok(map.pages.is_some());
        };
        let Some(run) = Run::read(entry) else {
            return Ok(false);
        };
        if self.searched && run.present {
            self.add_packed(pages, run, entry)?;
        }
        if run.present {
            self.keep(pages, map, run)?;
            map.before = map.before.saturating_add(run.pages);
            let listed = self.pages.entry(pages).or_default();
            *listed = listed.saturating_add(run.pages);
        }
        Ok(true)
    }

    /// Notes where compressed pages lie, and pages beside them.
    fn add_packed(&mut self, pages: u64, run: Run, entry: &[u8]) -> Result<(), Error> {
        let error = |reason| Err(packed_pages_error(pages, reason));
        if !run.compressed {
            if let Some(packed) = self.packed.get_mut(&pages) {
                let count = packed.count();
                packed.add_plain(run.pages);
                self.packed_count += packed.count().saturating_sub(count);
            }
            return Ok(());
        }
        if self.streamed.contains(&pages) {
            return error("its pages are compressed, and their map comes after them");
        }
        let Some(lengths) = packed_lengths(entry, run.pages) else {
            return error("its pages are compressed, and their lengths are not known");
        };
        // What was listed before was not compressed.
        let before = self.pages.get(&pages).copied().unwrap_or_default();
        let packed = self.packed.entry(pages);
        let packed = packed.or_insert_with(|| PackedPages::after(before));
        let count = packed.count();
        packed.add(&lengths);
        self.packed_count += packed.count().saturating_sub(count);
        if self.packed_count > MAX_PACKED {
            return error("its pages are compressed, and there are too many of them");
        }
        Ok(())
    }

    /// Where compressed pages lie in the image `pages`, if it has any.
    pub(super) fn packed(&self, pages: u64) -> Option<PackedPages> {
        self.packed.get(&pages).cloned()
    }

    /// Begins an image with compressed pages that unpack to `page_size` bytes each. Returns the environments' positions in
    /// what it unpacks to.
    pub(super) fn begin_packed(&mut self, id: u64, page_size: u64) -> Result<Vec<Segment>, Error> {
        self.streamed.insert(id);
        self.unpacked.insert(id);
        self.segments(id, page_size)
    }

    /// Whether the compressed pages of the image `pages` were searched, or need not be.
    pub(super) fn has_unpacked(&self, pages: u64) -> bool {
        !self.searched || self.unpacked.contains(&pages)
    }

    /// Bytes of a page, once an image has told it.
    pub(super) fn page_size(&self) -> Option<u64> {
        self.page_size
    }

    /// Begins the `pages-ID.img` of `size` bytes. Returns the environments' positions in it, in order and without overlap.
    pub(super) fn begin_pages(&mut self, id: u64, size: u64) -> Result<Vec<Segment>, Error> {
        self.streamed.insert(id);
        if !self.searched || !self.runs.contains_key(&id) {
            return Ok(Vec::new());
        }
        let listed = self.pages.get(&id).or_else(|| self.earlier_pages.get(&id));
        let page_size = page_size(size, listed.copied().unwrap_or_default());
        // Otherwise the wrong bytes would be overwritten.
        let page_size = page_size.ok_or(Error::BadTar(
            "the memory pages do not have the size that their map says",
        ))?;
        self.segments(id, page_size)
    }

    /// The environments' positions in an image with pages of `page_size` bytes.
    fn segments(&mut self, id: u64, page_size: u64) -> Result<Vec<Segment>, Error> {
        if *self.page_size.get_or_insert(page_size) != page_size {
            return Err(Error::BadTar(
                "its memory images have pages of different sizes",
            ));
        }
        let mut segments = Vec::new();
        for run in self.runs.get(&id).into_iter().flatten() {
            if !run.address.is_multiple_of(page_size) {
                return Err(Error::BadTar(
                    "a page map does not fit the size of the memory's pages",
                ));
            }
            let environments = self.environments.get(&run.process);
            let there = environments.into_iter().flatten();
            segments.extend(there.filter_map(|bounds| run.segment(*bounds, page_size)));
            if segments.len() > MAX_SEGMENTS {
                return Err(too_many());
            }
        }
        Ok(without_overlap(segments))
    }

    /// Keeps `run` if an environment of the map's process may lie in it, whatever the size of a page.
    fn keep(&mut self, pages: u64, map: &PageMap, run: Run) -> Result<(), Error> {
        let Some(process) = map.process else {
            return Ok(());
        };
        let run = EnvironmentRun {
            process,
            address: run.address,
            pages: run.pages,
            before: map.before,
        };
        let mut environments = self.environments.get(&process).into_iter().flatten();
        if environments.all(|bounds| run.segment(*bounds, *PAGE_SIZES.end()).is_none()) {
            return Ok(());
        }
        if self.runs.entry(pages).or_default().insert(run) {
            self.late |= self.streamed.contains(&pages);
            self.run_count += 1;
        }
        if self.run_count > MAX_RUNS {
            return Err(too_many());
        }
        Ok(())
    }
}

impl EnvironmentRun {
    /// The part of the run that lies within `start..end`.
    fn segment(&self, (start, end): (u64, u64), page_size: u64) -> Option<Segment> {
        let length = self.pages.saturating_mul(page_size);
        let start = start.max(self.address);
        let end = end.min(self.address.saturating_add(length));
        let before = self.before.saturating_mul(page_size);
        (start < end).then(|| Segment {
            at: before.saturating_add(start - self.address),
            length: end - start,
            address: start,
        })
    }
}

/// The segments in order, each without what an earlier one has.
fn without_overlap(mut segments: Vec<Segment>) -> Vec<Segment> {
    segments.sort_unstable();
    let mut end = 0u64;
    segments.retain_mut(|segment| {
        let skipped = end.saturating_sub(segment.at);
        if skipped >= segment.length {
            return false;
        }
        segment.at = segment.at.saturating_add(skipped);
        segment.address = segment.address.saturating_add(skipped);
        segment.length -= skipped;
        end = segment.at.saturating_add(segment.length);
        true
    });
    segments
}

fn too_many() -> Error {
    Error::BadTar("the processes' environments lie in too many pieces")
}
