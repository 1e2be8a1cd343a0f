//! The room that speaks the Container Runtime Interface: find the runtime's socket, resolve a name to one running
//! container, checkpoint it.
//!
//! A checkpoint that has begun is never cancelled from here. Where the RPC is cancelled or its deadline passes,
//! containerd can leave the container frozen for good while CRI still calls it running; so the RPC has no deadline and
//! runs in a task of its own, which outlives whoever asked for it. [`Runtime::finish`] waits for those tasks.

#![forbid(unsafe_code)]

mod environment;
mod failure;
mod queue;
mod resolve;
mod runtime;
mod socket;

pub use environment::Environment;
pub use failure::{Failure, FailureKind};
pub use queue::{CheckpointPermit, Limits};
pub use runtime::{Propagate, Runtime};
pub use socket::{WELL_KNOWN, find};

use std::path::PathBuf;

use gateway_core::Target;

/// Why the runtime did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No socket was configured and none of the well-known ones exists.
    #[error(
        "no container runtime found: looked for {}; set `runtime.socket`",
        .looked.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    NoSocket {
        /// Where one was looked for.
        looked: Vec<PathBuf>,
    },
    /// There is no such pod. The words are the kubelet's.
    #[error("pod does not exist")]
    NoPod,
    /// The pod has no such container. The words are the kubelet's.
    #[error("container {container} does not exist")]
    NoContainer {
        /// The name that was asked for.
        container: String,
    },
    /// The container exists and does not run. The words are the kubelet's.
    #[error("checkpointing of {target} failed (container {} not found)", .target.container())]
    NotRunning {
        /// What was asked for.
        target: Target,
    },
    /// More than one running container bears the name, so none is meant.
    #[error("{count} running containers are named {target}: the gateway does not guess")]
    Ambiguous {
        /// What was asked for.
        target: Target,
        /// How many there are.
        count: usize,
    },
    /// What the runtime answered contradicts itself or what it was asked.
    #[error("the container runtime's answer to {method} makes no sense: {why}")]
    BadAnswer {
        /// The RPC.
        method: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Too many checkpoints run or wait already.
    #[error("too many checkpoints {scope} are running or waiting: try again later")]
    Busy {
        /// `of this container` or `on this node`.
        scope: &'static str,
    },
    /// The runtime could not tell what it was asked.
    #[error("{method} on `{}` failed: {failure}{}", .socket.display(), .failure.kind.hint())]
    LookUp {
        /// The RPC.
        method: &'static str,
        /// Where the runtime listens.
        socket: PathBuf,
        /// What it said.
        failure: Failure,
    },
    /// The runtime could not take the checkpoint. The words are the kubelet's.
    #[error("checkpointing of {target} failed ({failure})")]
    Checkpoint {
        /// What was asked for.
        target: Target,
        /// What the runtime said.
        failure: Failure,
    },
}
