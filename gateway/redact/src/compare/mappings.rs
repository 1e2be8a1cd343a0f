//! The mappings of a process, to which pages are counted.

use std::collections::BTreeSet;

use super::report::{MappingPages, PageCounts};
use crate::criu::{Value, fields, number_in};

/// The most mappings of a process: the kernel's default is 65,530.
const MAX_MAPPINGS: usize = 100_000;
/// The most mappings that are listed.
const MAX_LISTED: usize = 1000;

/// A mapping in `mm-PID.img`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) start: u64,
    pub(super) end: u64,
    /// CRIU's number of the file that is mapped.
    pub(super) file: Option<u64>,
    pub(super) kind: &'static str,
}

/// The mappings of both archives by address, without overlap, each with the number of its pages.
#[derive(Debug, Default)]
pub(super) struct MappingCounts {
    all: Vec<(Mapping, String, PageCounts)>,
    /// Pages outside of all mappings.
    outside: PageCounts,
}

/// The `vma_entry` messages in field 14 of an `mm_entry`: 1 `start`, 2 `end`, 4 `shmid`, 6 `flags`, 7 `status`.
pub(super) fn read(entry: &[u8]) -> Vec<Mapping> {
    let all = fields(entry).map_while(|field| field);
    let messages = all.filter_map(|field| match field {
        (14, Value::Bytes(message)) => Some(message),
        _ => None,
    });
    messages
        .take(MAX_MAPPINGS)
        .filter_map(|message| {
            let status = number_in(message, 7).unwrap_or_default();
            let flags = number_in(message, 6).unwrap_or_default();
            let is_file = status & FILE != 0;
            Some(Mapping {
                start: number_in(message, 1)?,
                end: number_in(message, 2)?,
                file: number_in(message, 4).filter(|_| is_file),
                kind: if flags & GROWS_DOWN == 0 {
                    kind(status)
                } else {
                    "[stack]"
                },
            })
        })
        .collect()
}

/// The kernel's `MAP_GROWSDOWN`, which stacks have. CRIU's own bit for them is not set.
const GROWS_DOWN: u64 = 0x100;
/// `VMA_FILE_PRIVATE` and `VMA_FILE_SHARED` (CRIU, `image.h`).
const FILE: u64 = 1 << 6 | 1 << 7;

fn kind(status: u64) -> &'static str {
    const KINDS: [(u64, &str); 7] = [
        (1 << 1, "[stack]"),
        (1 << 2, "[vsyscall]"),
        (1 << 3, "[vdso]"),
        (1 << 5, "[heap]"),
        (1 << 12, "[vvar]"),
        (FILE, "[file]"),
        (1 << 8 | 1 << 10, "[shared]"),
    ];
    let known = KINDS.iter().find(|(bits, _)| status & bits != 0);
    known.map_or("[anonymous]", |(_, name)| name)
}

impl MappingCounts {
    /// The mappings of the second archive, and those of the first where the second has none.
    pub(super) fn new(
        before: &[Mapping],
        after: &[Mapping],
        name: impl Fn(&Mapping) -> String,
    ) -> Self {
        let mut bounds = BTreeSet::new();
        for mapping in before.iter().chain(after) {
            bounds.extend([mapping.start, mapping.end]);
        }
        let (mut before, mut after) = (sorted(before), sorted(after));
        let mut all: Vec<(Mapping, String, PageCounts)> = Vec::new();
        for (start, end) in bounds.iter().zip(bounds.iter().skip(1)) {
            let owner = owner(&mut after, *start).or_else(|| owner(&mut before, *start));
            let Some(owner) = owner else { continue };
            let last = all.last_mut().map(|(last, ..)| last);
            let goes_on = |last: &&mut Mapping| last.end == *start && last.is_alike(owner);
            if let Some(last) = last.filter(goes_on) {
                last.end = *end;
                continue;
            }
            let piece = Mapping {
                start: *start,
                end: *end,
                ..owner.clone()
            };
            all.push((piece, name(owner), PageCounts::default()));
        }
        Self {
            all,
            outside: PageCounts::default(),
        }
    }

    /// Counts pages from `address` on; returns how many bytes of `length` belong to the mapping there.
    pub(super) fn room(&self, address: u64, length: u64) -> u64 {
        let next = self
            .all
            .partition_point(|(mapping, ..)| mapping.end <= address);
        let until = match self.all.get(next) {
            Some((mapping, ..)) if mapping.start <= address => mapping.end,
            Some((mapping, ..)) => mapping.start,
            None => u64::MAX,
        };
        (until - address).min(length)
    }

    /// Adds to the mapping at `address`.
    pub(super) fn add(&mut self, address: u64, more: PageCounts) {
        let next = self
            .all
            .partition_point(|(mapping, ..)| mapping.end <= address);
        match self.all.get_mut(next) {
            Some((mapping, _, counts)) if mapping.start <= address => counts.add(more),
            _ => self.outside.add(more),
        }
    }

    /// All pages; the mappings that have any; and how many are not listed.
    pub(super) fn into_report(self) -> (PageCounts, Vec<MappingPages>, u64) {
        let mut all = self.outside;
        let mut listed: Vec<_> = Vec::new();
        let mut unlisted = 0;
        for (mapping, name, pages) in self.all {
            all.add(pages);
            if pages == PageCounts::default() {
                continue;
            }
            if listed.len() == MAX_LISTED {
                unlisted += 1;
                continue;
            }
            let range = format!("{:x}-{:x}", mapping.start, mapping.end);
            listed.push(MappingPages { range, name, pages });
        }
        (all, listed, unlisted)
    }
}

impl Mapping {
    fn is_alike(&self, other: &Self) -> bool {
        (self.file, self.kind) == (other.file, other.kind)
    }
}

fn sorted(mappings: &[Mapping]) -> std::iter::Peekable<std::vec::IntoIter<&Mapping>> {
    let mut sorted: Vec<_> = mappings.iter().collect();
    sorted.sort_unstable_by_key(|mapping| mapping.start);
    sorted.into_iter().peekable()
}

/// The mapping at `address`; addresses come in ascending order.
fn owner<'a>(
    mappings: &mut std::iter::Peekable<std::vec::IntoIter<&'a Mapping>>,
    address: u64,
) -> Option<&'a Mapping> {
    while mappings.next_if(|mapping| mapping.end <= address).is_some() {}
    let next = mappings.peek().copied();
    next.filter(|mapping| mapping.start <= address)
}
