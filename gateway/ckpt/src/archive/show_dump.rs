//! Prints CRIU's statistics of a dump, and a container's annotations.

use std::collections::BTreeMap;
use std::time::Duration;

use gateway_core::DumpStatistics;

use super::row::{MAX_LINE, row};
use crate::table::{Table, plain};

/// Prints the times and the numbers of pages.
pub(super) fn statistics(found: &DumpStatistics) {
    let time = |us| format!("{:?}", Duration::from_micros(us));
    row(
        "frozen",
        format_args!(
            "{}, after {} of freezing",
            time(found.frozen_us),
            time(found.freezing_us)
        ),
    );
    row(
        "memory",
        format_args!(
            "{} to read, {} to write",
            time(found.memory_dump_us),
            time(found.memory_write_us)
        ),
    );
    let more = [
        (found.pages_skipped, "left to a parent checkpoint"),
        (found.pages_lazy, "left to be fetched later"),
    ];
    let more = more.into_iter().filter(|(pages, _)| *pages > 0);
    let more: String = more
        .map(|(pages, what)| [", ", &pages.to_string(), " ", what].concat())
        .collect();
    let (written, scanned) = (found.pages_written, found.pages_scanned);
    row(
        "pages",
        format_args!("{written} written, {scanned} looked at{more}"),
    );
}

/// Prints keys and masked values in columns.
pub(super) fn annotations(found: &BTreeMap<String, String>) {
    let mut table = Table::without_headings().indented(2);
    for (key, value) in found {
        table.row_up_to(MAX_LINE, [plain(key), plain(value)]);
    }
    table.finish();
}
