//! Lists what is in a checkpoint without unpacking it: one walk over the headers, then a look at the few members that matter.
//! Of the processes' memory it reads arguments and environments only, and of environments it returns names only. In paths,
//! arguments and annotations everything is masked that a detector takes for a secret.
//!
//! An archive is hostile input. Members that are not what their names say are listed as unreadable. Counts and texts are
//! bounded, and every text is one line without control characters.

mod annotations;
mod archive_index;
mod descriptors;
mod documents;
mod file_table;
mod memory;
mod process;
mod process_tree;
mod rootfs_diff;
mod socket;
mod statistics;
mod text;
mod text_mask;
mod variables;

use std::io::{Read, Seek};

use gateway_core::Inspection;

pub(crate) use archive_index::ArchiveIndex;
pub(crate) use file_table::FileTable;
pub(crate) use text::TextBudget;

use crate::Error;
use crate::findings::{Owner, findings};
use crate::search::EnvValue;

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
    let declared = documents::read_spec(&mut index, &mut texts, &mut found)?;
    documents::read_criu(&mut index, &mut texts, &mut found)?;
    found.statistics = statistics::read(&mut index)?;
    let programs;
    (found.processes, programs) = process_tree::processes(&mut index, &mut texts, &declared)?;
    descriptors::fill(&mut index, &mut texts, &mut found.processes, &programs)?;
    let first = found.processes.first().map(|process| process.pid);
    found.criu.architecture =
        first.map_or(Ok(None), |pid| process::architecture(&mut index, pid))?;
    found.sizes = index.sizes();
    found.sizes.rootfs_files = rootfs_diff::count_files(&mut index)?;
    (found.members, found.member_count, found.unreadable) = index.into_lists(&mut texts);
    found.truncated = texts.is_exceeded();
    Ok(found)
}

/// The environment in `spec.dump` of `archive`, with its values.
pub(crate) fn spec_environment(archive: &mut (impl Read + Seek)) -> Result<Vec<EnvValue>, Error> {
    let mut index = ArchiveIndex::read(archive, &mut TextBudget::default())?;
    documents::environment(&mut index)
}

#[cfg(test)]
mod properties;
