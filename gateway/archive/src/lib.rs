//! Checkpoint bytes: stream, digest, store.
//!
//! A container runtime is told to write its archive to a path. [`Store::intake`] makes that path a fresh FIFO and drains
//! it into the store's directory, hashing on the way; where a runtime takes no FIFO, the path is a private temporary file.
//! [`Intake::publish`] makes the archive and its metadata visible, whole or not at all; [`Intake::discard`] leaves no
//! trace. [`Store::list`] and what goes with it give access to what is published.
//!
//! ```text
//! directory/                                                            0700
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar            0600, published
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar.json       0600, its metadata
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar.age        0600, its original, sealed, if that is kept
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.original.tar   0600, the same in plaintext, if that is wanted
//!   checkpoint-<pod>_<namespace>-<container>-<timestamp>.tar.hold       0600, what pins it, if anything does
//!   .lock                                                               held while a gateway runs
//!   .incoming/<checkpoint id>/                                          0700, unpublished work
//!     archive                                                           what the runtime is told to write
//!     archive.tar                                                       what came through it
//!     original                                                          the same before redaction, if that is kept
//! ```

#![forbid(unsafe_code)]

mod access;
mod catalog;
mod change;
mod cipher;
mod directory;
mod drain;
mod error;
mod fifo;
mod filter;
mod hashed;
mod hasher;
mod identity;
mod index;
mod intake;
mod keeper;
mod metadata;
mod name;
mod original;
mod place;
mod publish;
mod quota;
mod redacting;
mod room;
mod scratch;
mod settings;
mod sink;
mod space;
mod store;
mod stream;
mod sweep;
mod tree;
mod unseal;
mod worker;

pub use error::Error;
pub use filter::{Filter, Page};
pub use identity::Identities;
pub use intake::{About, Intake};
pub use original::{KeepOriginal, Recipients};
pub use quota::{Limit, Limits, Quota, Scope, WhenFull};
pub use settings::{Settings, TransportChoice};
pub use space::Reservation;
pub use store::Store;
#[doc(hidden)]
pub use stream::Stream;
pub use sweep::{Cleaned, Leftover};
pub use unseal::{UnsealError, unseal, unseal_file};
