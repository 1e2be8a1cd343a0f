//! Compares two archives: processes, what they have open, memory by page, names of variables, mounts and changed files.
//!
//! No value is returned: of memory and files only numbers and names. Positions in files, times and ids are not compared, since
//! they differ between any two checkpoints.

mod changed_files;
mod mappings;
mod memory;
mod pages;
mod processes;
mod report;

use std::io::{Read, Seek};

use gateway_core::{InspectedContainer, Inspection};

use crate::Error;
use crate::inspect::{ArchiveIndex, TextBudget, inspect};
use memory::Side;

pub use report::{
    Changes, Comparison, FieldChange, FileChanges, MappingPages, MemoryChanges, PageCounts,
    ProcessChange,
};

/// Compares `one` with `other`, each from its beginning.
///
/// # Errors
/// [`Error::BadTar`] and [`Error::Truncated`] if one is not a whole tar archive, [`Error::Reading`] if it cannot be read.
pub fn compare(
    one: &mut (impl Read + Seek),
    other: &mut (impl Read + Seek),
) -> Result<Comparison, Error> {
    let (before, after) = (inspect(one, None)?, inspect(other, None)?);
    let mut texts = TextBudget::default();
    let mut found = Comparison {
        container: container(&before, &after),
        processes: processes::changes(&before, &after),
        env: Changes::between(&before.env, &after.env),
        mounts: Changes::between(&before.mounts, &after.mounts),
        annotations: Changes::between(before.annotations.keys(), after.annotations.keys()),
        ..Comparison::default()
    };
    let mut one = Side::new(ArchiveIndex::read(one, &mut texts)?, &before, &mut texts)?;
    let mut other = Side::new(ArchiveIndex::read(other, &mut texts)?, &after, &mut texts)?;
    found.memory = memory::compare(&mut one, &mut other, &mut found.not_compared)?;
    found.files = changed_files::compare(&mut one.index, &mut other.index, &mut texts)?;
    found.truncated = texts.is_exceeded() || before.truncated || after.truncated;
    found.not_compared.extend(shared_memory(&before, &after));
    found.same = found.is_same();
    Ok(found)
}

/// Memory that processes share has page maps of its own.
fn shared_memory(before: &Inspection, after: &Inspection) -> Option<String> {
    let mut members = before.members.iter().chain(&after.members);
    members
        .any(|member| member.name.starts_with("checkpoint/pagemap-shmem-"))
        .then(|| "memory that processes share".to_owned())
}

fn container(before: &Inspection, after: &Inspection) -> Vec<FieldChange> {
    let fields = |found: &Inspection| {
        let InspectedContainer {
            name,
            pod,
            namespace,
            image,
            image_ref,
            oci_runtime,
            runtime_class,
            ..
        } = found.container.clone();
        [
            ("namespace", namespace),
            ("pod", pod),
            ("container", name),
            ("image", image),
            ("image-ref", image_ref),
            ("oci-runtime", oci_runtime),
            ("runtime-class", runtime_class),
            ("architecture", found.criu.architecture.clone()),
        ]
    };
    let pairs = fields(before).into_iter().zip(fields(after));
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((field, before), (_, after))| FieldChange {
            field: field.to_owned(),
            before,
            after,
        })
        .collect()
}
