use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Seek};

use super::content::Content;
use super::header::padding;
use super::image::Entries;
use super::layout::{pages_id, present_pages};
use super::member::Member;
use super::screen::pieces;
use crate::Error;

/// The smallest and the largest page of any machine that CRIU knows.
pub(crate) const PAGE: std::ops::RangeInclusive<u64> = 4 << 10..=64 << 10;
/// The largest entry of a `pagemap-PID.img`, in bytes.
const MAX_ENTRY: usize = 4 << 10;

/// Pages that page maps tell of, and pages that are there.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    told: BTreeMap<u64, u64>,
    bytes: BTreeMap<u64, u64>,
    /// Processes whose page maps are no images.
    damaged: BTreeSet<u64>,
}

impl Pages {
    /// Goes over the contents of `member`, which `reader` has come to; `false` if they end beyond the archive's `length`.
    pub(crate) fn look<R: Read + Seek>(
        &mut self,
        member: &Member,
        content: Content,
        reader: &mut BufReader<R>,
        length: u64,
    ) -> Result<bool, Error> {
        match content {
            Content::PageMap(process) => {
                self.read_map(process, &mut reader.by_ref().take(member.size))?
            }
            Content::Pages(id) => {
                self.bytes.insert(id, member.size);
                skip(reader, member.size)?;
            }
            _ => skip(reader, member.size)?,
        }
        skip(reader, padding(member.size) as u64)?;
        Ok(reader.stream_position().map_err(Error::Reading)? <= length)
    }

    /// What does not fit, in words. A page more or less hangs CRIU's restorer for ever.
    pub(crate) fn faults(&self) -> impl Iterator<Item = String> + '_ {
        self.told.iter().filter_map(|(id, pages)| {
            let bytes = self.bytes.get(id).copied().unwrap_or_default();
            let page = bytes.checked_div(*pages);
            let fits = page.is_none_or(|page| PAGE.contains(&page) && page.is_power_of_two());
            let whole = page.unwrap_or_default().saturating_mul(*pages) == bytes;
            (!fits || !whole)
                .then(|| format!("`pages-{id}.img` has {bytes} bytes for {pages} pages"))
        })
    }

    /// Page maps that nothing could be told by, in words. Redaction passes on what a runtime has broken.
    pub(crate) fn damage(&self) -> impl Iterator<Item = String> + '_ {
        self.damaged
            .iter()
            .map(|process| format!("`pagemap-{process}.img` is no image of CRIU's"))
    }

    fn read_map(&mut self, process: u64, content: &mut dyn BufRead) -> Result<(), Error> {
        let (mut entries, mut id, mut sum) = (Entries::new(MAX_ENTRY), None, 0u64);
        pieces(content, |piece| {
            entries.push(piece, |entry| {
                if id.is_none() {
                    id = pages_id(entry);
                    return id.is_some();
                }
                let pages = present_pages(entry);
                sum = sum.saturating_add(pages.unwrap_or_default());
                pages.is_some()
            });
            Ok(())
        })?;
        match id.filter(|_| entries.is_whole()) {
            Some(id) => {
                let told = self.told.entry(id).or_default();
                *told = told.saturating_add(sum);
            }
            None => drop(self.damaged.insert(process)),
        }
        Ok(())
    }
}

fn skip<R: Read + Seek>(reader: &mut BufReader<R>, bytes: u64) -> Result<(), Error> {
    let bytes = i64::try_from(bytes).map_err(|_| Error::BadTar("a size is no number"))?;
    reader.seek_relative(bytes).map_err(Error::Reading)
}
