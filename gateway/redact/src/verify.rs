//! Checks the structure of an archive.

use std::io::{Read, Seek};

use gateway_core::Finding;

use crate::Error;
use crate::findings::{Owner, Survey};
use crate::walk::ArchiveWalk;

/// The result of [`verify()`] for a whole tar archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structure {
    /// The number of members.
    pub members: u64,
    /// What the archive lacks, what contradicts itself, and what else its receiver should know, the fatal findings first.
    pub findings: Vec<Finding>,
}

/// Checks `archive` from its beginning: every header and length of the tar, and its findings. `owner` is the container that it
/// should be of, where that is known.
///
/// # Errors
/// [`Error::BadTar`] and [`Error::Truncated`] if it is not a whole tar archive, [`Error::Reading`] if it cannot be read.
pub fn verify(
    archive: &mut (impl Read + Seek),
    owner: Option<Owner<'_>>,
) -> Result<Structure, Error> {
    let mut walk = ArchiveWalk::new(archive)?;
    let survey = Survey::read(&mut walk, owner)?;
    walk.ensure_nothing_follows()?;
    Ok(Structure {
        members: survey.members(),
        findings: survey.finish(&mut walk)?,
    })
}
