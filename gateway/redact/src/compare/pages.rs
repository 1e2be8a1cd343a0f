//! The pages of a process in an archive, by their addresses.

use std::io::{Read, Seek};

use crate::Error;
use crate::criu::{MAX_PAGE_MAP_ENTRY, Run, page_size, pages_id};
use crate::inspect::ArchiveIndex;
use crate::part::Part;

/// The most runs of pages of one process. A process with that many has mapped every second page of a GiB.
const MAX_RUNS: usize = 1 << 17;

/// Bytes that follow one another in memory and in the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) start: u64,
    pub(super) end: u64,
    /// The position in the image.
    pub(super) at: u64,
}

/// The pages of a process.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) part: Part,
    /// Bytes of a page.
    pub(super) size: u64,
    /// By address, without overlap.
    pub(super) stretches: Vec<Stretch>,
}

impl Pages {
    /// The pages of the process `pid`. `None` if its images do not say where they are, or if there are too many runs.
    pub(super) fn read<R: Read + Seek>(
        index: &mut ArchiveIndex<R>,
        pid: u64,
    ) -> Result<Option<Self>, Error> {
        let (mut id, mut runs, mut total, mut readable) = (None, Vec::new(), 0u64, true);
        index.entries(Part::PageMap(pid), MAX_PAGE_MAP_ENTRY, |entry| {
            if id.is_none() {
                id = pages_id(entry);
                return id.is_some();
            }
            let Some(run) = Run::read(entry).filter(|run| !run.compressed) else {
                readable = false;
                return false;
            };
            if run.present {
                runs.push((total, run));
                total = total.saturating_add(run.pages);
            }
            readable = runs.len() <= MAX_RUNS;
            readable
        })?;
        let Some(part) = id.map(Part::Pages).filter(|_| readable) else {
            return Ok(None);
        };
        let size = index.size(part).unwrap_or_default();
        if total == 0 && size == 0 {
            return Ok(Some(Self::empty(part)));
        }
        let Some(size) = page_size(size, total) else {
            return Ok(None);
        };
        Ok(stretches(&runs, size).map(|stretches| Self {
            part,
            size,
            stretches,
        }))
    }

    fn empty(part: Part) -> Self {
        Self {
            part,
            size: 0,
            stretches: Vec::new(),
        }
    }
}

/// `None` where runs overlap or do not begin with a page.
fn stretches(runs: &[(u64, Run)], size: u64) -> Option<Vec<Stretch>> {
    let stretch = |(before, run): &(u64, Run)| {
        run.address.is_multiple_of(size).then_some(())?;
        Some(Stretch {
            start: run.address,
            end: run.address.checked_add(run.pages.checked_mul(size)?)?,
            at: before.checked_mul(size)?,
        })
    };
    let mut all: Vec<_> = runs.iter().map(stretch).collect::<Option<_>>()?;
    all.sort_unstable_by_key(|stretch| stretch.start);
    let apart = all.is_sorted_by(|one, next| one.end <= next.start);
    apart.then_some(all)
}
