//! An embedded CRI runtime for the demo and the tests: real processes, real memory, real archives.
//!
//! A [`Node`] serves `runtime.v1.RuntimeService` on a unix socket. Its pods are child processes of this program, with
//! an environment and memory of their own; `CheckpointContainer` stops a container's processes, copies their memory
//! out, lets them go on, and writes an archive with the members and formats of a containerd checkpoint. Ids, errors and
//! the treatment of `location` are those of containerd 2.1.9. What it does not do is isolate: there are no namespaces,
//! no images and no networks, and its archives cannot be restored, because registers are not read.
//!
//! Tests make it misbehave with a [`Behaviour`], count what reached it with [`Calls`], and wait for a call to begin with
//! [`Node::wait_for_calls`], so none of them has to sleep.

#![forbid(unsafe_code)]

mod activity;
mod address_space;
mod answer;
mod archive;
mod behaviour;
mod checkpoint;
mod connection;
mod container;
mod descriptors;
mod document;
mod dump;
mod freeze;
mod image;
mod launch;
mod location;
mod log;
mod memory;
mod message;
mod node;
mod pod;
mod process;
mod registry;
mod rootfs;
mod service;
mod session;

use std::io;
use std::path::PathBuf;

pub use activity::{Calls, Method};
pub use behaviour::{Behaviour, Fault, Gate, Moment};
pub use node::{Dialect, Node, Options};
pub use pod::{ContainerSpec, Pod, RunningContainer, RunningPod};

/// Why the node, or something on it, could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket cannot be bound.
    #[error("cannot listen on `{path}`")]
    Listen {
        /// Where the socket should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder or file of the node's state cannot be made.
    #[error("cannot create `{path}`")]
    State {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A container's process cannot be started.
    #[error("cannot start the container `{container}`")]
    Spawn {
        /// The container's name.
        container: String,
        /// What the system says.
        source: io::Error,
    },
    /// A container without a command.
    #[error("the container `{container}` has no command")]
    NoCommand {
        /// The container's name.
        container: String,
    },
    /// Nothing on the node has this id.
    #[error("`{id}` is not on this node")]
    Unknown {
        /// The id of a container or sandbox.
        id: String,
    },
}
