//! Compares the memory of processes, page by page.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io::{Read, Seek};

use gateway_core::Inspection;

use super::mappings::{self, Mapping, MappingCounts};
use super::pages::{Pages, Stretch};
use super::report::{MemoryChanges, PageCounts};
use crate::Error;
use crate::criu::MAX_ADDRESS_SPACE;
use crate::inspect::{ArchiveIndex, FileTable, TextBudget};
use crate::part::Part;

/// Bytes that are compared at once.
const CHUNK: u64 = 1 << 20;
/// The most processes whose memory is compared.
const MAX_PROCESSES: usize = 1000;

/// One of the two archives.
pub(super) struct Side<R> {
    pub(super) index: ArchiveIndex<R>,
    pids: BTreeSet<u64>,
    files: FileTable,
    /// Bytes that may still be read: processes of a hostile archive can all have the same pages.
    budget: u64,
}

impl<R: Read + Seek> Side<R> {
    pub(super) fn new(
        mut index: ArchiveIndex<R>,
        found: &Inspection,
        texts: &mut TextBudget,
    ) -> Result<Self, Error> {
        let pids: BTreeSet<_> = found.processes.iter().map(|process| process.pid).collect();
        let mut wanted = BTreeSet::new();
        for pid in pids.iter().take(MAX_PROCESSES) {
            let mappings = read_mappings(&mut index, *pid)?;
            wanted.extend(mappings.into_iter().filter_map(|mapping| mapping.file));
        }
        Ok(Self {
            files: FileTable::read(&mut index, wanted, texts)?,
            index,
            pids,
            budget: found.sizes.archive,
        })
    }
}

/// Compares the memory of the processes that both have.
pub(super) fn compare(
    one: &mut Side<impl Read + Seek>,
    other: &mut Side<impl Read + Seek>,
    not_compared: &mut Vec<String>,
) -> Result<Vec<MemoryChanges>, Error> {
    let both: Vec<_> = one.pids.intersection(&other.pids).copied().collect();
    let mut changes = Vec::new();
    for pid in both.iter().take(MAX_PROCESSES) {
        match process(one, other, *pid)? {
            Some(change) => changes.push(change),
            None if not_compared.len() < 100 => {
                not_compared.push(format!(
                    "the memory of process {pid}: its images do not say where it is"
                ));
            }
            None => {}
        }
    }
    if both.len() > MAX_PROCESSES {
        let message = format!(
            "the memory of {} further processes",
            both.len() - MAX_PROCESSES
        );
        not_compared.push(message);
    }
    Ok(changes)
}

fn process(
    one: &mut Side<impl Read + Seek>,
    other: &mut Side<impl Read + Seek>,
    pid: u64,
) -> Result<Option<MemoryChanges>, Error> {
    let before = Pages::read(&mut one.index, pid)?;
    let Some((before, after)) = before.zip(Pages::read(&mut other.index, pid)?) else {
        return Ok(None);
    };
    // A process without pages has no size of one.
    let page_size = match (before.size, after.size) {
        (0, 0) => {
            let pages = MemoryChanges {
                pid,
                ..MemoryChanges::default()
            };
            return Ok(Some(pages));
        }
        (0, size) | (size, 0) => size,
        (one, other) if one == other => one,
        _ => return Ok(None),
    };
    let mappings = (
        read_mappings(&mut one.index, pid)?,
        read_mappings(&mut other.index, pid)?,
    );
    let name = |mapping: &Mapping| {
        let path = |files: &FileTable| files.path(mapping.file?, &mut TextBudget::default());
        path(&other.files)
            .or_else(|| path(&one.files))
            .unwrap_or_else(|| mapping.kind.to_owned())
    };
    let counts = MappingCounts::new(&mappings.0, &mappings.1, name);
    let mut sweep = Sweep {
        one,
        other,
        parts: (before.part, after.part),
        page_size,
        counts,
        exceeded: false,
    };
    sweep.run(&before.stretches, &after.stretches)?;
    if sweep.exceeded {
        return Ok(None);
    }
    let (pages, mappings, unlisted) = sweep.counts.into_report();
    Ok(Some(MemoryChanges {
        pid,
        page_size,
        pages,
        mappings,
        unlisted,
    }))
}

fn read_mappings<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
    pid: u64,
) -> Result<Vec<Mapping>, Error> {
    let mut found = Vec::new();
    index.entries(Part::AddressSpace(pid), MAX_ADDRESS_SPACE, |entry| {
        if found.is_empty() {
            found = mappings::read(entry);
        }
        true
    })?;
    Ok(found)
}

/// Goes through the pages of both archives by address.
struct Sweep<'a, A, B> {
    one: &'a mut Side<A>,
    other: &'a mut Side<B>,
    parts: (Part, Part),
    page_size: u64,
    counts: MappingCounts,
    exceeded: bool,
}

impl<A: Read + Seek, B: Read + Seek> Sweep<'_, A, B> {
    fn run(&mut self, before: &[Stretch], after: &[Stretch]) -> Result<(), Error> {
        let (mut before, mut after) = (before.iter().copied(), after.iter().copied());
        let (mut one, mut other) = (before.next(), after.next());
        loop {
            match (&mut one, &mut other) {
                (None, None) => return Ok(()),
                (Some(stretch), None) => {
                    self.gone(stretch.start, stretch.end);
                    one = before.next();
                }
                (None, Some(stretch)) => {
                    self.new_pages(stretch.start, stretch.end);
                    other = after.next();
                }
                (Some(a), Some(b)) => {
                    self.step(a, b)?;
                    if a.start >= a.end {
                        one = before.next();
                    }
                    if b.start >= b.end {
                        other = after.next();
                    }
                }
            }
        }
    }

    /// Takes from the beginning of one or both.
    fn step(&mut self, a: &mut Stretch, b: &mut Stretch) -> Result<(), Error> {
        match a.start.cmp(&b.start) {
            Ordering::Less => {
                let until = a.end.min(b.start);
                self.gone(a.start, until);
                a.advance(until);
            }
            Ordering::Greater => {
                let until = b.end.min(a.start);
                self.new_pages(b.start, until);
                b.advance(until);
            }
            Ordering::Equal => {
                let until = a.end.min(b.end).min(a.start.saturating_add(CHUNK));
                self.both(*a, *b, until - a.start)?;
                a.advance(until);
                b.advance(until);
            }
        }
        Ok(())
    }

    fn gone(&mut self, from: u64, to: u64) {
        self.spread(from, to, |pages| PageCounts {
            gone: pages,
            ..PageCounts::default()
        });
    }

    fn new_pages(&mut self, from: u64, to: u64) {
        self.spread(from, to, |pages| PageCounts {
            new: pages,
            ..PageCounts::default()
        });
    }

    fn spread(&mut self, mut from: u64, to: u64, counts: impl Fn(u64) -> PageCounts) {
        while from < to {
            let room = self.counts.room(from, to - from);
            // A mapping that ends within a page has it whole.
            let whole = room.checked_next_multiple_of(self.page_size);
            let bytes = whole.unwrap_or(u64::MAX).min(to - from);
            self.counts.add(from, counts(bytes / self.page_size));
            from = from.saturating_add(bytes);
        }
    }

    /// Compares `length` bytes at the same addresses.
    fn both(&mut self, a: Stretch, b: Stretch, length: u64) -> Result<(), Error> {
        let left = self.one.budget.min(self.other.budget);
        if self.exceeded || length > left {
            self.exceeded = true;
            return Ok(());
        }
        self.one.budget -= length;
        self.other.budget -= length;
        let one = self.one.index.bytes(self.parts.0, a.at, length)?;
        let other = self.other.index.bytes(self.parts.1, b.at, length)?;
        let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
        let size = usize::try_from(self.page_size).unwrap_or(usize::MAX);
        let mut address = a.start;
        for (one, other) in one.chunks(size).zip(other.chunks(size)) {
            let equal = u64::from(one == other);
            let counts = PageCounts {
                equal,
                changed: 1 - equal,
                ..PageCounts::default()
            };
            self.counts.add(address, counts);
            address = address.saturating_add(self.page_size);
        }
        Ok(())
    }
}

impl Stretch {
    fn advance(&mut self, to: u64) {
        self.at = self.at.saturating_add(to - self.start);
        self.start = to;
    }
}
