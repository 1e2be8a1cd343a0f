//! The append-only audit log: one JSON object a line. An intent is durable before the runtime is touched, an outcome
//! follows whatever happened; where a record cannot be written, the request is refused. Each line has its place, `seq`, and
//! in `prev` the digest of the line before it: [`verify`] finds where that chain does not hold.

#![forbid(unsafe_code)]

mod chain;
mod compress;
mod disk;
mod key;
mod lines;
mod log;
mod merkle;
mod observer;
mod prove;
mod queue;
mod reader;
mod recovery;
mod seal;
mod segment;
mod tail;
mod verify;

pub use key::{KeyError, PublicKey, SigningKey};
pub use lines::ReadError;
pub use log::{Error, Intent, Log, Settings, Signing};
pub use observer::Observer;
pub use prove::{Proof, ProofError, ProveError, Wanted, prove};
pub use reader::{Entry, Reader, read};
pub use seal::SignedHead;
pub use tail::Recovered;
pub use verify::{
    Anchor, ClockSetBack, Expected, Fault, KeptHead, Trust, Verified, VerifyError, verify,
};
