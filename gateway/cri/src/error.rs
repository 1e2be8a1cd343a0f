//! Errors of the runtime client.

use std::path::PathBuf;

use gateway_core::Target;

use crate::failure::Failure;

/// An error of a call to the runtime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No socket is configured and none of the well-known ones exists.
    #[error(
        "no container runtime found: none of {} exists; set `runtime.socket`",
        .tried.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    NoSocket {
        /// The paths that were tried.
        tried: Vec<PathBuf>,
    },
    /// The pod does not exist. The message is the kubelet's.
    #[error("pod does not exist")]
    NoPod,
    /// The pod does not have this container. The message is the kubelet's.
    #[error("container {container} does not exist")]
    NoContainer {
        /// The requested name.
        container: String,
    },
    /// The container exists and is not running. The message is the kubelet's.
    #[error("checkpointing of {target} failed (container {} not found)", .target.container())]
    NotRunning {
        /// The requested container.
        target: Target,
    },
    /// More than one running container has this name.
    #[error("{count} running containers are named {target}: the name is ambiguous")]
    Ambiguous {
        /// The requested container.
        target: Target,
        /// The number of running containers.
        count: usize,
    },
    /// The runtime's answer contradicts itself or the request.
    #[error("the container runtime's answer to {method} is not valid: {why}")]
    BadAnswer {
        /// The RPC.
        method: &'static str,
        /// The contradiction.
        why: &'static str,
    },
    /// Too many checkpoints are running or waiting.
    #[error("too many checkpoints {scope} are running or waiting: try again later")]
    Busy {
        /// `of this container` or `on this node`.
        scope: &'static str,
    },
    /// The runtime did not answer a query.
    #[error("{method} on `{}` failed: {failure}{}", .socket.display(), .failure.kind.hint())]
    LookUp {
        /// The RPC.
        method: &'static str,
        /// The runtime's socket.
        socket: PathBuf,
        /// The runtime's error.
        failure: Failure,
    },
    /// The runtime could not create the checkpoint. The message is the kubelet's.
    #[error("checkpointing of {target} failed ({failure})")]
    Checkpoint {
        /// The requested container.
        target: Target,
        /// The runtime's error.
        failure: Failure,
    },
}
