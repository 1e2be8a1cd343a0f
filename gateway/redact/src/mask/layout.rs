//! Locates the processes' environments in the memory pages.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::Error;
use crate::criu::{AddressSpace, Run, pages_id};

/// The most segments that environments may lie in.
const MAX_SEGMENTS: usize = 1 << 20;

/// The positions of environments in each `pages-ID.img`. Outlives a pass: what one learns too late serves the next.
#[derive(Debug)]
pub(super) struct Layout {
    page_size: u64,
    /// Whether memory is searched, so that compressed pages must be refused.
    searched: bool,
    /// The bounds of environments in memory, by process.
    environments: BTreeMap<u64, BTreeSet<(u64, u64)>>,
    /// By the number of the `pages-ID.img`.
    segments: BTreeMap<u64, BTreeSet<Segment>>,
    segment_count: usize,
    /// The size in bytes that this pass's page maps give each `pages-ID.img`.
    mapped_bytes: BTreeMap<u64, u64>,
    /// Processes whose page maps this pass has read.
    mapped: BTreeSet<u64>,
    /// Pages that this pass has written.
    streamed: BTreeSet<u64>,
    late: bool,
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
    process: u64,
    /// The number of the `pages-ID.img`, once the first entry is read.
    pages: Option<u64>,
    /// The position in the image of the next run.
    at: u64,
}

impl Layout {
    pub(super) fn new(page_size: u64, searched: bool) -> Self {
        Self {
            page_size,
            searched,
            environments: BTreeMap::new(),
            segments: BTreeMap::new(),
            segment_count: 0,
            mapped_bytes: BTreeMap::new(),
            mapped: BTreeSet::new(),
            streamed: BTreeSet::new(),
            late: false,
        }
    }

    /// Ends a pass. Returns whether it learnt something that it would have needed earlier.
    pub(super) fn end_pass(&mut self) -> bool {
        self.mapped.clear();
        self.mapped_bytes.clear();
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
        true
    }

    /// Begins a page map.
    pub(super) fn begin_map(&mut self, process: u64) -> PageMap {
        self.mapped.insert(process);
        PageMap {
            process,
            pages: None,
            at: 0,
        }
    }

    /// Reads the next entry of `map`; `false` if it cannot be read.
    pub(super) fn add_run(&mut self, map: &mut PageMap, entry: &[u8]) -> Result<bool, Error> {
        let Some(pages) = map.pages else {
            map.pages = pages_id(entry);
            return Ok(map.pages.is_some());
        };
        let Some(run) = Run::read(entry) else {
            return Ok(false);
        };
        if run.compressed && self.searched {
            return Err(compressed_pages(&format!(
                "checkpoint/pagemap-{}.img",
                map.process
            )));
        }
        if run.present {
            let length = run.pages.saturating_mul(self.page_size);
            self.add_segments(pages, map, run.address..run.address.saturating_add(length))?;
            map.at = map.at.saturating_add(length);
            let mapped = self.mapped_bytes.entry(pages).or_default();
            *mapped = mapped.saturating_add(length);
        }
        Ok(true)
    }

    /// Begins the `pages-ID.img` of `size` bytes. Returns the environments' positions in it, in order and without overlap.
    pub(super) fn begin_pages(&mut self, id: u64, size: u64) -> Result<Vec<Segment>, Error> {
        self.streamed.insert(id);
        let mapped = self.mapped_bytes.get(&id);
        // The wrong bytes would be overwritten.
        if mapped.is_some_and(|mapped| *mapped != size) && self.segments.contains_key(&id) {
            return Err(Error::BadTar(
                "the memory pages do not have the size that their map says",
            ));
        }
        let mut end = 0u64;
        let mut segments = Vec::new();
        for segment in self.segments.get(&id).into_iter().flatten() {
            let skipped = end.saturating_sub(segment.at);
            if skipped < segment.length {
                segments.push(Segment {
                    at: segment.at.saturating_add(skipped),
                    length: segment.length - skipped,
                    address: segment.address.saturating_add(skipped),
                });
                end = segment.at.saturating_add(segment.length);
            }
        }
        Ok(segments)
    }

    /// Adds the parts of `run` that belong to environments of the map's process.
    fn add_segments(&mut self, pages: u64, map: &PageMap, run: Range<u64>) -> Result<(), Error> {
        for (start, end) in self.environments.get(&map.process).into_iter().flatten() {
            let (start, end) = ((*start).max(run.start), (*end).min(run.end));
            if start >= end {
                continue;
            }
            let segment = Segment {
                at: map.at.saturating_add(start - run.start),
                length: end - start,
                address: start,
            };
            if self.segments.entry(pages).or_default().insert(segment) {
                self.late |= self.streamed.contains(&pages);
                self.segment_count += 1;
            }
        }
        if self.segment_count > MAX_SEGMENTS {
            return Err(Error::BadTar(
                "the processes' environments lie in too many pieces",
            ));
        }
        Ok(())
    }
}

/// The error for compressed pages that would have to be searched. `map` is their page map's name.
pub(super) fn compressed_pages(map: &str) -> Error {
    Error::Opaque {
        member: map.to_owned(),
        reason: "the pages that it lists are compressed, and compressed pages are not searched",
    }
}
