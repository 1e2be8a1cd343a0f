//! The file with a container's description as policies got it, where the metadata has it masked. Policies decide later
//! requests on it; nothing else reads it.

use gateway_core::{Checkpoint, CheckpointId, Container};
use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::metadata::MAX_METADATA;
use crate::{Error, name};

/// The contents of the file.
#[derive(Serialize, Deserialize)]
struct Facts<C> {
    schema: u32,
    /// The checkpoint that it belongs to.
    id: CheckpointId,
    container: C,
}

/// The file's name beside `archive`.
pub(crate) fn name(archive: &str) -> String {
    format!("{archive}{}", name::FACTS)
}

/// The file's text for the checkpoint `id` of `container`.
pub(crate) fn text(id: CheckpointId, container: &Container) -> Result<Vec<u8>, Error> {
    let facts = Facts {
        schema: Checkpoint::SCHEMA,
        id,
        container,
    };
    serde_json::to_vec(&facts).map_err(Error::Metadata)
}

impl Catalog {
    /// The container of `checkpoint` as policies got it; `None` if the checkpoint was removed meanwhile.
    pub(crate) fn container(&self, checkpoint: &Checkpoint) -> Result<Option<Container>, Error> {
        if !is_kept(checkpoint) {
            return Ok(Some(checkpoint.facts.clone()));
        }
        let Some(entry) = self.entry(checkpoint.id) else {
            return Ok(None);
        };
        let name = name(&entry.name);
        let text = self.directory.read_small(&name, MAX_METADATA)?;
        let facts = text.ok().flatten();
        let facts = facts.and_then(|text| serde_json::from_slice::<Facts<Container>>(&text).ok());
        let facts = facts.filter(|facts| {
            facts.schema == Checkpoint::SCHEMA
                && facts.id == checkpoint.id
                && facts.container.target == checkpoint.target
        });
        match facts {
            Some(facts) => Ok(Some(facts.container)),
            // Removed while this looked: the archive goes first.
            None if self.directory.status(&entry.name)?.is_none() => Ok(None),
            None => Err(Error::Altered {
                path: self.directory.path_of(&name),
                reason: "it is missing or not the description of the checkpoint's container",
            }),
        }
    }
}

/// Whether the file exists: the metadata has a field of the container masked.
fn is_kept(checkpoint: &Checkpoint) -> bool {
    checkpoint.masked.iter().any(|field| field != "reason")
}
