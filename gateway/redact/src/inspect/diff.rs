use std::io::{BufRead, BufReader, Read, Seek};

use flate2::bufread::MultiGzDecoder;

use super::contents::Contents;
use super::part::Part;
use crate::Error;
use crate::redact::{GZIP, Kind, Member, Next, padding, pieces};

/// The most that is unpacked to count files, in bytes: a second's work.
const MAX_UNPACKED: u64 = 256 << 20;
/// The most entries that are counted.
const MAX_ENTRIES: u64 = 100_000;

/// How many regular files `rootfs-diff.tar` holds. `None` where there is none, where it is no tar archive and where
/// counting would take long.
pub(super) fn files<R: Read + Seek>(contents: &mut Contents<R>) -> Result<Option<u64>, Error> {
    if contents
        .size(Part::Diff)
        .is_none_or(|size| size > MAX_UNPACKED)
    {
        return Ok(None);
    }
    let packed = contents
        .bytes(Part::Diff, 0, 2)?
        .is_some_and(|start| start == GZIP);
    let Some(diff) = contents.open(Part::Diff)? else {
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
            contents.note_unreadable(Part::Diff);
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
        let mut body = tar.take(size);
        pieces(&mut body, |_| Ok(()))?;
        if body.limit() > 0 {
            return Err(Error::Truncated);
        }
    }
    Ok(None)
}
