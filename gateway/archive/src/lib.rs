//! The store of checkpoints: takes archives in, publishes them with their metadata, finds and removes them.
//!
//! A container runtime is told to write its archive to a path. [`Store::intake`] makes that path a new FIFO and drains it
//! into the store's directory, computing the digest on the way; where a runtime refuses FIFOs, the path is a private
//! temporary file. Where a runtime keeps the container paused while it writes, a sealed spool takes the bytes before they are
//! redacted. [`Intake::publish`] makes the archive and its metadata visible, whole or not at all; [`Intake::discard`]
//! removes everything. [`Store::list`] and its siblings read what is published.
//!
//! ```text
//! directory/                                                            0700
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar            0600, published
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar.json       0600, its metadata
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar.facts      0600, its container as policies got it, if masked above
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar.age        0600, its sealed original, if configured
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.original.tar   0600, the same in plaintext, if configured
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar.hold       0600, a hold on it, if there is one
//!   .lock                                                               held while a gateway runs
//!   .incoming/<checkpoint id>/                                          0700, unpublished work
//!     archive                                                           the location that the runtime writes to
//!     archive.tar                                                       the bytes that came through it
//!     original                                                          the archive before redaction, if it is kept
//! ```

#![forbid(unsafe_code)]

mod access;
mod archive_file;
mod bounds;
mod buffer;
mod catalog;
mod changes;
mod checkpoint_info;
mod cipher;
mod directory;
mod drain;
mod entry;
mod error;
mod facts;
mod fifo;
mod file_status;
mod filter;
mod findings;
mod fingerprint_key;
mod handoff;
mod identities;
mod index;
mod intake;
mod intake_reader;
mod metadata;
mod name;
mod order;
mod original;
mod original_writer;
mod output;
mod output_writer;
mod publish;
mod quota;
mod quota_reservation;
mod receive;
mod recipients;
mod recovery;
mod redaction_run;
mod reservation;
mod reserve;
mod retention;
mod runtime_file;
mod scratch;
mod sealing;
mod settings;
mod sink;
mod space;
mod spool;
mod spool_key;
mod step;
mod store;
mod transport;
mod tree;
mod unseal;
mod unseal_error;
mod whole_archive;
mod work_folder;
mod worker;

pub use checkpoint_info::CheckpointInfo;
pub use error::Error;
pub use filter::{Filter, Page};
pub use fingerprint_key::{FingerprintKeyError, fingerprints};
pub use identities::Identities;
pub use intake::Intake;
pub use original::KeepOriginal;
pub use quota::{Limit, Limits, Quota, Scope, WhenFull};
pub use recipients::Recipients;
pub use recovery::{Cleaned, Leftover};
pub use reservation::Reservation;
pub use settings::Settings;
pub use step::{Step, StepFile, StepTime, Steps};
pub use store::Store;
pub use transport::TransportChoice;
pub use unseal::{unseal, unseal_file};
pub use unseal_error::UnsealError;
