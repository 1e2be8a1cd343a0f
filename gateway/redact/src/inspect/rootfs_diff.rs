//! Counts the files in the container's changes to its root filesystem.

use std::io::{BufRead, BufReader, Read, Seek};

use flate2::bufread::MultiGzDecoder;

use super::archive_index::ArchiveIndex;
use crate::Error;
use crate::content::is_gzip;
use crate::part::Part;
use crate::stream::skip;
use crate::tar::{Kind, Member, Next, padding};

/// The most that is unpacked to count files, in bytes: about a second.
const MAX_UNPACKED: u64 = 256 << 20;
/// The most entries that are counted.
const MAX_ENTRIES: u64 = 100_000;

/// The number of regular files in `rootfs-diff.tar`. `None` if there is no such member, if it is not a tar archive, and if
/// counting would take long.
pub(super) fn count_files<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
) -> Result<Option<u64>, Error> {
    if index
        .size(Part::RootfsDiff)
        .is_none_or(|size| size > MAX_UNPACKED)
    {
        return Ok(None);
    }
    let packed = index
        .bytes(Part::RootfsDiff, 0, 2)?
        .is_some_and(|start| is_gzip(&start));
    let Some(diff) = index.open(Part::RootfsDiff)? else {
        return Ok(None);
    };
    let counted = if packed {
        let unpacked = MultiGzDecoder::new(diff).take(MAX_UNPACKED);
        count(&mut BufReader::new(unpacked))
    } else {
        count(&mut { diff })
    };
    match counted {
        Err(Error::Reading(error)) => Err(Error::Reading(error)),
        Err(Error::Truncated) if packed => Ok(None),
        Err(_) => {
            index.note_unreadable(Part::RootfsDiff);
            Ok(None)
        }
        Ok(count) => Ok(count),
    }
}

fn count(tar: &mut dyn BufRead) -> Result<Option<u64>, Error> {
    let mut files = 0;
    for _ in 0..MAX_ENTRIES {
        // Some writers leave out the end.
        let Next::Member(member) = Member::next(tar)? else {
            return Ok(Some(files));
        };
        files += u64::from(matches!(member.kind(), Kind::File | Kind::OldSparse));
        let size = member.size.saturating_add(padding(member.size) as u64);
        skip(tar, size)?;
    }
    Ok(None)
}
