//! Whether the memory in an archive has as many pages as its page maps say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use super::image::Entries;
use super::page_map::{MAX_PAGE_MAP_ENTRY, Run, pages_id};
use crate::Error;
use crate::stream::read_pieces;

/// The smallest and the largest page of any machine that CRIU supports, in bytes.
pub(crate) const PAGE_SIZES: std::ops::RangeInclusive<u64> = 4 << 10..=64 << 10;

/// Pages that page maps list, and bytes of memory that are there.
#[derive(Debug, Default)]
pub(crate) struct PageCounts {
    /// By the number of the `pages-ID.img`.
    listed: BTreeMap<u64, u64>,
    bytes: BTreeMap<u64, u64>,
    /// Processes whose page maps cannot be read.
    damaged: BTreeSet<u64>,
}

impl PageCounts {
    /// Notes a `pages-ID.img` of `bytes` bytes.
    pub(crate) fn add_pages(&mut self, id: u64, bytes: u64) {
        self.bytes.insert(id, bytes);
    }

    /// Reads the contents of a `pagemap-PID.img`.
    pub(crate) fn add_map(
        &mut self,
        process: u64,
        contents: &mut dyn BufRead,
    ) -> Result<(), Error> {
        let (mut entries, mut id) = (Entries::new(MAX_PAGE_MAP_ENTRY), None);
        let mut sum = 0u64;
        read_pieces(contents, |piece| {
            entries.push(piece, |entry| {
                if id.is_none() {
                    id = pages_id(entry);
                    return id.is_some();
                }
                let run = Run::read(entry);
                sum = sum.saturating_add(run.map_or(0, Run::pages_in_image));
                run.is_some()
            });
            Ok(())
        })?;
        match id.filter(|_| entries.is_whole()) {
            Some(id) => {
                let listed = self.listed.entry(id).or_default();
                *listed = listed.saturating_add(sum);
            }
            None => drop(self.damaged.insert(process)),
        }
        Ok(())
    }

    /// Memory that does not fit its page maps, one message each. With a page more or less, CRIU's restorer hangs for ever.
    pub(crate) fn mismatches(&self) -> impl Iterator<Item = String> + '_ {
        self.listed.iter().filter_map(|(id, pages)| {
            let bytes = self.bytes.get(id).copied().unwrap_or_default();
            let size = bytes.checked_div(*pages);
            let fits = size.is_none_or(|size| PAGE_SIZES.contains(&size) && size.is_power_of_two());
            let whole = size.unwrap_or_default().saturating_mul(*pages) == bytes;
            (!fits || !whole)
                .then(|| format!("`pages-{id}.img` has {bytes} bytes for {pages} pages"))
        })
    }

    /// Page maps that cannot be read, one message each. Redaction passes them on as the runtime wrote them.
    pub(crate) fn unreadable_maps(&self) -> impl Iterator<Item = String> + '_ {
        self.damaged
            .iter()
            .map(|process| format!("`pagemap-{process}.img` is not a CRIU image"))
    }
}
