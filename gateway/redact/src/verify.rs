//! Checks the structure of an archive.

use std::io::{Read, Seek};

use crate::Error;
use crate::tar::Next;
use crate::walk::ArchiveWalk;

/// The most members of an archive.
const MAX_MEMBERS: u64 = 1_000_000;

/// The result of [`verify()`] for a whole tar archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structure {
    /// The number of members.
    pub members: u64,
    /// Contradictions in the archive, one message each. A checkpoint that can be restored has none.
    pub faults: Vec<String>,
}

/// Checks `archive` from its beginning: every header and length of the tar, and that the processes' memory has as many pages
/// as its maps say. Needs no metadata and says nothing about contents.
///
/// # Errors
/// [`Error::BadTar`] and [`Error::Truncated`] if it is not a whole tar archive, [`Error::Reading`] if it cannot be read.
pub fn verify(archive: &mut (impl Read + Seek)) -> Result<Structure, Error> {
    let mut walk = ArchiveWalk::new(archive)?;
    let mut members = 0;
    loop {
        match walk.next_member()? {
            Next::Member(_) => members += 1,
            Next::NoEnd => return Err(Error::Truncated),
            Next::End => break,
        }
        if members > MAX_MEMBERS {
            return Err(Error::BadTar("it has too many members"));
        }
    }
    walk.ensure_nothing_follows()?;
    let counts = walk.page_counts();
    Ok(Structure {
        members,
        faults: counts
            .unreadable_maps()
            .chain(counts.mismatches())
            .collect(),
    })
}
