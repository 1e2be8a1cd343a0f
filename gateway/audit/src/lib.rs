//! The append-only audit log: records as JSON lines, chained by digests, signed as a Merkle tree, kept in segments.
//!
//! An intent is durable before the runtime is touched, and an outcome follows. If a record cannot be written, the request
//! is refused. Each line holds its number, `seq`, and the digest of the line before it, `prev`. [`verify`] checks this
//! chain, the tree and the signatures. `FORMAT.md` describes the files.

#![forbid(unsafe_code)]

mod active_file;
mod batch;
mod chain;
mod compress;
mod disk;
mod error;
mod fault;
mod key;
mod lines;
mod log;
mod merkle;
mod observer;
mod pending;
mod proof;
mod prove;
mod queue;
mod reader;
mod recovery;
mod segment;
mod settings;
mod signature;
mod state;
mod verify;
mod work;
mod writer;

pub use error::Error;
pub use fault::Fault;
pub use key::{KeyError, PublicKey, SigningKey};
pub use lines::ReadError;
pub use log::{Intent, Log};
pub use observer::Observer;
pub use proof::{Proof, ProofError};
pub use prove::{ProveError, Wanted, prove};
pub use reader::{Entry, Reader, read};
pub use recovery::Recovered;
pub use settings::{Settings, Signing};
pub use signature::SignedHead;
pub use verify::{Anchor, ClockSetBack, Expected, KeptHead, Trust, Verified, VerifyError, verify};
