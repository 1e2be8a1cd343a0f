//! An embedded CRI runtime for the demo and the tests: real processes, real memory, real archives.
//!
//! A [`Node`] serves `runtime.v1.RuntimeService` on a unix socket. Its containers are child processes of this program with
//! their own environment and memory. `CheckpointContainer` freezes a container's processes, copies their memory, thaws them,
//! and writes an archive with the members and formats of a containerd checkpoint. Ids, errors and the treatment of `location`
//! are those of containerd 2.1.9. As [`Dialect::CriO`] it has CRI-O's members and manner instead: the processes are thawed
//! only when the archive is written. It does not isolate: there are no namespaces, no images and no networks. Its archives cannot
//! be restored, because registers are not dumped.
//!
//! Tests inject faults with a [`Behaviour`], count calls with [`Calls`], and wait for calls with [`Node::wait_for_calls`], so
//! they need not sleep.

#![forbid(unsafe_code)]

mod activity;
mod address_space;
mod answer;
mod archive;
mod author;
mod behaviour;
mod checkpoint;
mod checkpoint_lock;
mod connection;
mod container;
mod descriptors;
mod document;
mod dump;
mod dump_error;
mod error;
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
mod shared;
mod tasks;

pub use activity::{Calls, Method};
pub use author::Dialect;
pub use behaviour::{Behaviour, Fault, Gate, Moment};
pub use error::Error;
pub use node::{Node, Options};
pub use pod::{ContainerSpec, Pod, RunningContainer, RunningPod};
