//! A client of the Container Runtime Interface (CRI): finds the runtime's socket, resolves a name to one running container, and
//! checkpoints it.
//!
//! A checkpoint is never cancelled once it has started. If the RPC is cancelled or exceeds a deadline, containerd can leave the
//! container frozen for good while CRI reports it as running. So the RPC has no deadline and runs in a task of its own, which
//! outlives the caller. [`Runtime::finish`] waits for these tasks.

#![forbid(unsafe_code)]

mod environment;
mod error;
mod failure;
mod failure_kind;
mod permit;
mod queue;
mod resolve;
mod runtime;
mod socket;

pub use environment::Environment;
pub use error::Error;
pub use failure::Failure;
pub use failure_kind::FailureKind;
pub use permit::CheckpointPermit;
pub use queue::Limits;
pub use runtime::{Propagate, Runtime};
pub use socket::{WELL_KNOWN, find};
