use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::protobuf::{Value, fields};
use crate::Error;

/// Pages that are in the image, among an entry's flags (CRIU, `PE_PRESENT`).
const PRESENT: u64 = 4;
/// The most segments that environments may lie in.
const MAX_SEGMENTS: usize = 1 << 20;

/// Where the processes' environments lie in `pages-*.img`. Outlives a pass: what it learns too late serves the next.
#[derive(Debug)]
pub(super) struct Layout {
    page_size: u64,
    environments: BTreeMap<u64, BTreeSet<(u64, u64)>>,
    segments: BTreeMap<u64, BTreeSet<Segment>>,
    count: usize,
    /// How large page maps of this pass tell that pages are, in bytes.
    told: BTreeMap<u64, u64>,
    /// Processes whose page maps have gone by in this pass.
    mapped: BTreeSet<u64>,
    /// Pages that have gone by in this pass.
    streamed: BTreeSet<u64>,
    late: bool,
}

/// Bytes of an environment in `pages-ID.img`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    /// Where in the image.
    pub(super) at: u64,
    pub(super) length: u64,
    /// Where in the process's memory.
    pub(super) address: u64,
}

/// A `pagemap-PID.img` that is being read.
#[derive(Debug)]
pub(super) struct PageMap {
    process: u64,
    pages: Option<u64>,
    at: u64,
}

/// Pages that follow one another in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Run {
    pub(crate) address: u64,
    pub(crate) pages: u64,
    /// Whether the pages are in the image.
    pub(crate) present: bool,
}

impl Layout {
    pub(super) fn new(page_size: u64) -> Self {
        Self {
            page_size,
            environments: BTreeMap::new(),
            segments: BTreeMap::new(),
            count: 0,
            told: BTreeMap::new(),
            mapped: BTreeSet::new(),
            streamed: BTreeSet::new(),
            late: false,
        }
    }

    /// Whether something in the pass that ends here came too late to be of use in it.
    pub(super) fn end_pass(&mut self) -> bool {
        self.mapped.clear();
        self.told.clear();
        self.streamed.clear();
        std::mem::take(&mut self.late)
    }

    /// The entry of `mm-PID.img` (`mm_entry`: 10 and 11 are the environment's bounds); `false` if it is none.
    pub(super) fn memory(&mut self, process: u64, entry: &[u8]) -> bool {
        let (mut start, mut end) = (None, None);
        for field in fields(entry) {
            match field {
                Some((10, Value::Number(value))) => start = Some(value),
                Some((11, Value::Number(value))) => end = Some(value),
                Some(_) => {}
                None => return false,
            }
        }
        let Some(bounds) = start.zip(end) else {
            return false;
        };
        if bounds.0 < bounds.1 && self.environments.entry(process).or_default().insert(bounds) {
            self.late |= self.mapped.contains(&process);
        }
        true
    }

    /// A page map begins.
    pub(super) fn page_map(&mut self, process: u64) -> PageMap {
        self.mapped.insert(process);
        PageMap {
            process,
            pages: None,
            at: 0,
        }
    }

    /// The next entry of `map`; `false` if it is none.
    pub(super) fn entry(&mut self, map: &mut PageMap, entry: &[u8]) -> Result<bool, Error> {
        let Some(pages) = map.pages else {
            map.pages = head(entry);
            return Ok(map.pages.is_some());
        };
        let Some(run) = Run::read(entry) else {
            return Ok(false);
        };
        if run.present {
            let length = run.pages.saturating_mul(self.page_size);
            self.add(pages, map, run.address..run.address.saturating_add(length))?;
            map.at = map.at.saturating_add(length);
            let told = self.told.entry(pages).or_default();
            *told = told.saturating_add(length);
        }
        Ok(true)
    }

    /// The pages `id` begin, an image of `size` bytes: where environments lie in them, in order and without overlap.
    pub(super) fn pages(&mut self, id: u64, size: u64) -> Result<Vec<Segment>, Error> {
        self.streamed.insert(id);
        let wrong = self.told.get(&id).is_some_and(|told| *told != size);
        // Else the wrong bytes would be overwritten.
        if wrong && self.segments.contains_key(&id) {
            return Err(Error::BadTar(
                "memory pages are more or fewer, or larger or smaller, than their map tells",
            ));
        }
        let mut end = 0u64;
        let mut segments = Vec::new();
        for segment in self.segments.get(&id).into_iter().flatten() {
            let skipped = end.saturating_sub(segment.at);
            if skipped < segment.length {
                let at = segment.at.saturating_add(skipped);
                let address = segment.address.saturating_add(skipped);
                segments.push(Segment {
                    at,
                    length: segment.length - skipped,
                    address,
                });
                end = segment.at.saturating_add(segment.length);
            }
        }
        Ok(segments)
    }

    fn add(&mut self, pages: u64, map: &PageMap, run: Range<u64>) -> Result<(), Error> {
        for (start, end) in self.environments.get(&map.process).into_iter().flatten() {
            let (start, end) = ((*start).max(run.start), (*end).min(run.end));
            if start >= end {
                continue;
            }
            let at = map.at.saturating_add(start - run.start);
            let segment = Segment {
                at,
                length: end - start,
                address: start,
            };
            if self.segments.entry(pages).or_default().insert(segment) {
                self.late |= self.streamed.contains(&pages);
                self.count += 1;
            }
        }
        if self.count > MAX_SEGMENTS {
            return Err(Error::BadTar("the processes' environments are too many"));
        }
        Ok(())
    }
}

impl Run {
    /// A `pagemap_entry`: 1 `vaddr`, 2 `compat_nr_pages`, 3 `in_parent`, 4 `flags`, 5 `nr_pages`.
    pub(crate) fn read(entry: &[u8]) -> Option<Self> {
        let mut run = Self {
            present: true,
            ..Self::default()
        };
        let (mut old, mut flags) = (None, None);
        for field in fields(entry) {
            match field? {
                (1, Value::Number(value)) => run.address = value,
                (2, Value::Number(value)) => old = Some(value),
                (3, Value::Number(value)) => run.present &= value == 0,
                (4, Value::Number(value)) => flags = Some(value),
                (5, Value::Number(value)) => run.pages = value,
                _ => {}
            }
        }
        run.present = flags.map_or(run.present, |flags| flags & PRESENT != 0);
        run.pages = if run.pages == 0 { old? } else { run.pages };
        Some(run)
    }
}

/// A `pagemap_head`: 1 is `pages_id`.
fn head(entry: &[u8]) -> Option<u64> {
    fields(entry).find_map(|field| match field {
        Some((1, Value::Number(id))) => Some(Some(id)),
        Some(_) => None,
        None => Some(None),
    })?
}

/// How many pages each run that is in the image has: for the last check.
pub(super) fn present_pages(entry: &[u8]) -> Option<u64> {
    Run::read(entry).map(|run| if run.present { run.pages } else { 0 })
}

/// The first entry's `pages_id`.
pub(crate) fn pages_id(entry: &[u8]) -> Option<u64> {
    head(entry)
}
