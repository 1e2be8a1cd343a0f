//! Checkpoint bytes: stream, digest, store.
//!
//! A container runtime is told to write its archive to a path. [`Store::intake`] makes that path a fresh FIFO and drains
//! it into the store's directory, hashing on the way; where a runtime takes no FIFO, the path is a private temporary file.
//! [`Intake::publish`] makes the archive and its metadata visible, whole or not at all; [`Intake::discard`] leaves no
//! trace. [`inspect()`] tells what is in an archive, and [`verify()`] whether it is whole.
//!
//! ```text
//! directory/                                                            0700
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar            0600, published
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar.json       0600, its metadata
//!   .lock                                                               held while a gateway runs
//!   .incoming/<checkpoint id>/                                          0700, unpublished work
//!     archive                                                           what the runtime is told to write
//!     archive.tar                                                       what came through it
//! ```

#![forbid(unsafe_code)]

mod directory;
mod drain;
mod error;
mod fifo;
mod hasher;
mod inspect;
mod intake;
mod name;
mod newest;
mod place;
mod publish;
mod redact;
mod redacting;
mod scan;
mod settings;
mod sink;
mod space;
mod store;
mod sweep;
mod tree;
mod verify;
mod worker;

pub use error::Error;
pub use inspect::inspect;
pub use intake::{About, Intake};
pub use redact::{Redaction, RedactionSettings, check_plan, redact_file};
#[doc(hidden)]
pub use scan::bench as scan_bench;
pub use scan::{EnvValue, ScanError};
pub use settings::{Settings, TransportChoice};
pub use space::Reservation;
pub use store::Store;
pub use sweep::{Cleaned, Leftover};
pub use verify::{Structure, verify};
