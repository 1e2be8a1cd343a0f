//! Lists what is in a checkpoint without unpacking it: one walk over the headers, then a look at the few members that matter.
//! Of the processes' memory it reads arguments and environments only, and of environments it returns names only.
//!
//! An archive is hostile input. Members that are not what their names say are listed as unreadable. Counts and texts are
//! bounded, and every text is one line without control characters.

mod archive_index;
mod documents;
mod memory;
mod process;
mod process_tree;
mod rootfs_diff;
mod text;
mod variables;

use std::io::{Read, Seek};

use archive_index::ArchiveIndex;
use gateway_core::Inspection;
use text::TextBudget;

use crate::Error;
use crate::findings::{Owner, findings};

/// Lists what is in `archive`, from its beginning and wherever it stands. `owner` is the container that it should be of, where
/// that is known.
///
/// # Errors
/// [`Error::BadTar`] and [`Error::Truncated`] if it is not a whole tar archive, [`Error::Reading`] if it cannot be read.
pub fn inspect(
    archive: &mut (impl Read + Seek),
    owner: Option<Owner<'_>>,
) -> Result<Inspection, Error> {
    let mut texts = TextBudget::default();
    let findings = findings(archive, owner)?;
    let mut index = ArchiveIndex::read(archive, &mut texts)?;
    let mut found = Inspection {
        dialect: index.dialect(),
        findings,
        ..Inspection::default()
    };
    documents::read_config(&mut index, &mut texts, &mut found)?;
    documents::read_spec(&mut index, &mut texts, &mut found)?;
    documents::read_criu(&mut index, &mut texts, &mut found)?;
    found.processes = process_tree::processes(&mut index, &mut texts)?;
    let first = found.processes.first().map(|process| process.pid);
    found.criu.architecture =
        first.map_or(Ok(None), |pid| process::architecture(&mut index, pid))?;
    found.sizes = index.sizes();
    found.sizes.rootfs_files = rootfs_diff::count_files(&mut index)?;
    (found.members, found.member_count, found.unreadable) = index.into_lists(&mut texts);
    found.truncated = texts.is_exceeded();
    Ok(found)
}

#[cfg(test)]
mod properties;
