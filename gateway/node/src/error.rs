//! Errors of the node's public API.

use std::io;
use std::path::{Path, PathBuf};

/// An error while starting or stopping the node, or a pod or container on it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket cannot be bound.
    #[error("cannot listen on `{path}`")]
    Listen {
        /// The path of the socket.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A folder or file of the node's state cannot be created.
    #[error("cannot create `{path}`")]
    State {
        /// The path of the folder or file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A container's process cannot be started.
    #[error("cannot start the container `{container}`")]
    Spawn {
        /// The container's name.
        container: String,
        /// The system's error.
        source: io::Error,
    },
    /// A container without a command.
    #[error("the container `{container}` has no command")]
    NoCommand {
        /// The container's name.
        container: String,
    },
    /// No sandbox or container on the node has this id.
    #[error("`{id}` is not on this node")]
    Unknown {
        /// The id of a container or sandbox.
        id: String,
    },
}

impl Error {
    /// Converts the system's error about `path`.
    pub(crate) fn state(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::State { path, source }
    }

    /// The error for an id that is not on the node.
    pub(crate) fn unknown(id: &str) -> Self {
        Self::Unknown { id: id.to_owned() }
    }
}
