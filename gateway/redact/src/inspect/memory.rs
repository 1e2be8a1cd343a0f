//! Reads parts of a process's memory from an archive.

use std::io::{Read, Seek};
use std::ops::Range;

use super::archive_index::ArchiveIndex;
use crate::Error;
use crate::criu::{MAX_PAGE_MAP_ENTRY, PAGE_SIZES, Run, page_size, pages_id};
use crate::part::Part;

/// The most runs of pages that a process's arguments and environment may lie in.
const MAX_RUNS: usize = 4 << 10;

/// Bytes that follow one another in a process's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) address: u64,
    pub(super) bytes: Vec<u8>,
}

/// The positions in the archive of the wanted parts of a process's memory.
#[derive(Debug)]
pub(super) struct MemoryMap {
    pages: Part,
    page_size: u64,
    /// Runs of pages, each with the number of pages before it in the image.
    runs: Vec<(u64, Run)>,
}

/// A `pagemap-PID.img` while it is read.
#[derive(Debug, Default)]
struct Reading {
    id: Option<u64>,
    pages: u64,
    runs: Vec<(u64, Run)>,
}

impl MemoryMap {
    /// The map of the process `pid`, for addresses in one of `wanted`. `None` without a map that fits the image.
    pub(super) fn read<R: Read + Seek>(
        index: &mut ArchiveIndex<R>,
        pid: u64,
        wanted: &[Range<u64>],
    ) -> Result<Option<Self>, Error> {
        let mut reading = Reading::default();
        index.entries(Part::PageMap(pid), MAX_PAGE_MAP_ENTRY, |entry| {
            reading.entry(entry, wanted)
        })?;
        let Some(pages) = reading.id.map(Part::Pages) else {
            return Ok(None);
        };
        let Some(size) = index.size(pages) else {
            return Ok(None);
        };
        // The archive may come from a machine with other pages.
        let Some(page_size) = page_size(size, reading.pages) else {
            index.note_unreadable(Part::PageMap(pid));
            return Ok(None);
        };
        Ok(Some(Self {
            pages,
            page_size,
            runs: reading.runs,
        }))
    }

    /// The bytes of `range` that are in the image, in order and without overlap; adjacent pieces are joined.
    pub(super) fn bytes<R: Read + Seek>(
        &self,
        index: &mut ArchiveIndex<R>,
        range: &Range<u64>,
    ) -> Result<Vec<Piece>, Error> {
        let (mut pieces, mut from) = (Vec::<Piece>::new(), range.start);
        for (before, run) in &self.runs {
            let run_end = run
                .address
                .saturating_add(run.pages.saturating_mul(self.page_size));
            let (start, end) = (from.max(run.address), range.end.min(run_end));
            if start >= end {
                continue;
            }
            let offset = before
                .saturating_mul(self.page_size)
                .saturating_add(start - run.address);
            let bytes = index
                .bytes(self.pages, offset, end - start)?
                .unwrap_or_default();
            match pieces
                .last_mut()
                .filter(|last| last.address.saturating_add(last.bytes.len() as u64) == start)
            {
                Some(last) => last.bytes.extend(bytes),
                None => pieces.push(Piece {
                    address: start,
                    bytes,
                }),
            }
            from = end;
        }
        Ok(pieces)
    }
}

impl Reading {
    fn entry(&mut self, entry: &[u8], wanted: &[Range<u64>]) -> bool {
        if self.id.is_none() {
            self.id = pages_id(entry);
            return self.id.is_some();
        }
        let Some(run) = Run::read(entry) else {
            return false;
        };
        if run.present {
            let reach = run
                .address
                .saturating_add(run.pages.saturating_mul(*PAGE_SIZES.end()));
            let concerns = wanted
                .iter()
                .any(|range| run.address < range.end && range.start < reach);
            if concerns && self.runs.len() < MAX_RUNS {
                self.runs.push((self.pages, run));
            }
            self.pages = self.pages.saturating_add(run.pages);
        }
        true
    }
}
