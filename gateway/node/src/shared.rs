//! The state that a node shares with the calls that it serves.

use std::path::PathBuf;

use parking_lot::Mutex;
use tonic::metadata::MetadataMap;

use crate::activity::Counter;
use crate::author::Author;
use crate::behaviour::Behaviour;
use crate::registry::Registry;
use crate::tasks::Tasks;

/// The state of a node.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) author: Author,
    /// The absolute path of the state folder.
    pub(crate) state: PathBuf,
    pub(crate) registry: Mutex<Registry>,
    pub(crate) counter: Counter,
    pub(crate) behaviour: Mutex<Behaviour>,
    /// The metadata of the last `CheckpointContainer`.
    pub(crate) metadata: Mutex<Option<MetadataMap>>,
    pub(crate) tasks: Tasks,
}
