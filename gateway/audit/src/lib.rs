//! The append-only audit log: one JSON object a line. An intent is durable before the runtime is touched, an outcome
//! follows whatever happened; where a record cannot be written, the request is refused. Each line has its place, `seq`, and
//! in `prev` the digest of the line before it: [`verify`] finds where that chain does not hold.

#![forbid(unsafe_code)]

mod chain;
mod dangling;
mod lines;
mod log;
mod queue;
mod reader;
mod segment;
mod tail;
mod verify;

pub use lines::Unreadable;
pub use log::{Error, Intent, Log};
pub use reader::{Entry, Reader, read};
pub use tail::Recovered;
pub use verify::{Fault, Unverified, Verified, verify};
