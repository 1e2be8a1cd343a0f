//! CRIU's statistics of a dump.

use std::io::{Read, Seek};

use gateway_core::DumpStatistics;

use super::archive_index::ArchiveIndex;
use crate::Error;
use crate::criu::{bytes_in, number_in};
use crate::part::Part;

/// The largest entry, in bytes.
const MAX_ENTRY: usize = 64 << 10;

/// Reads `stats-dump`.
pub(super) fn read<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
) -> Result<Option<DumpStatistics>, Error> {
    let mut found = None;
    index.entries(Part::Statistics, MAX_ENTRY, |entry| {
        found = found.or_else(|| statistics(entry));
        true
    })?;
    Ok(found)
}

/// Field 1 of a `stats_entry` is `dump`, a `dump_stats_entry`. The pages of shared memory (12 to 14) are counted apart.
fn statistics(entry: &[u8]) -> Option<DumpStatistics> {
    let dump = bytes_in(entry, 1)?;
    let number = |field| number_in(dump, field).unwrap_or_default();
    let sum = |one, shared| number(one).saturating_add(number(shared));
    Some(DumpStatistics {
        freezing_us: number(1),
        frozen_us: number(2),
        memory_dump_us: number(3),
        memory_write_us: number(4),
        pages_scanned: sum(5, 12),
        pages_skipped: sum(6, 13),
        pages_written: sum(7, 14),
        pages_lazy: number(9),
    })
}
