//! Tells what is in a checkpoint without unpacking it: one walk over the headers, then a look at the few images that
//! matter. Reads no more memory than the processes' arguments and environments, and of these hands out names only.
//!
//! An archive is hostile input. What is not what its name says is listed as unreadable; counts and texts are bounded, and
//! a text is one line that no terminal obeys.

mod contents;
mod diff;
mod document;
mod memory;
mod part;
mod process;
mod text;
mod tree;
mod variables;

use std::io::{Read, Seek};

use gateway_core::Inspection;

use crate::Error;
use contents::Contents;
use text::Texts;

/// Tells what is in `archive`, from its beginning and wherever it stands.
///
/// # Errors
/// [`Error::BadTar`] and [`Error::Truncated`] where it is no whole tar archive, [`Error::Reading`] where it cannot be read.
pub fn inspect(archive: &mut (impl Read + Seek)) -> Result<Inspection, Error> {
    let mut texts = Texts::default();
    let mut contents = Contents::read(archive, &mut texts)?;
    let mut found = Inspection {
        dialect: contents.dialect(),
        ..Inspection::default()
    };
    document::config(&mut contents, &mut texts, &mut found)?;
    document::spec(&mut contents, &mut texts, &mut found)?;
    document::criu(&mut contents, &mut texts, &mut found)?;
    found.processes = tree::processes(&mut contents, &mut texts)?;
    let first = found.processes.first().map(|process| process.pid);
    found.criu.architecture =
        first.map_or(Ok(None), |pid| process::architecture(&mut contents, pid))?;
    found.sizes = contents.sizes();
    found.sizes.rootfs_files = diff::files(&mut contents)?;
    (found.members, found.member_count, found.unreadable) = contents.into_lists(&mut texts);
    found.truncated = texts.were_cut();
    Ok(found)
}

#[cfg(test)]
mod properties;
