//! The store: opens a directory, reserves space and quota, takes archives in.

use std::sync::Arc;

use gateway_core::{Checkpoint, CheckpointId, RuntimeInfo, Target, Transport};
use gateway_redact::Redaction;
use jiff::Timestamp;

use crate::bounds::Bounds;
use crate::catalog::Catalog;
use crate::directory::Directory;
use crate::recovery::remove_leftovers;
use crate::space::Space;
use crate::transport::TransportState;
use crate::worker::Job;
use crate::{Cleaned, Error, Intake, Reservation, Settings, Steps};

/// A directory of checkpoints, held by this gateway alone. Clones share it; it is unlocked when
/// the last of them and the last intake have ended.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: Arc<Directory>,
    settings: Settings,
    catalog: Arc<Catalog>,
    space: Arc<Space>,
    transports: Arc<TransportState>,
}

impl Store {
    /// Makes the directory if it is absent, locks it and removes leftovers of a crash, which it returns.
    ///
    /// # Errors
    /// [`Error::Directory`] where it is a symlink, belongs to another user, or lets others in; [`Error::Locked`] where
    /// another gateway has it open.
    pub fn open(settings: Settings) -> Result<(Self, Vec<Cleaned>), Error> {
        let directory = Arc::new(Directory::open(&settings.directory)?);
        let cleaned = remove_leftovers(&directory)?;
        directory.probe()?;
        let catalog = Arc::new(Catalog::open(Arc::clone(&directory))?);
        let measured = Arc::clone(&directory);
        let space = Arc::new(Space::new(settings.min_free_bytes, move || measured.free()));
        let transports = Arc::new(TransportState::new(settings.transport));
        let inner = Arc::new(Inner {
            directory,
            settings,
            catalog,
            space,
            transports,
        });
        Ok((Self { inner }, cleaned))
    }

    /// Reserves disk space and quota for an archive of `estimate` bytes of the container `target`, and for its original
    /// where originals are kept. Without an estimate, some space and quota must be left, and more is reserved as the archive
    /// grows. May remove older checkpoints ([`WhenFull::DeleteOldest`](crate::WhenFull::DeleteOldest)), which
    /// [`Reservation::removed`] lists, and then blocks for as long as the disk does.
    ///
    /// # Errors
    /// [`Error::Quota`] where a limit would be broken, and [`Error::NoSpace`] where less would stay free than must. Both
    /// count the reservations of archives that are still expected.
    pub fn reserve(&self, target: &Target, estimate: Option<u64>) -> Result<Reservation, Error> {
        let Inner {
            catalog,
            settings,
            space,
            ..
        } = &*self.inner;
        // In the worst case nothing is dropped from the archive, and its original is as large.
        let estimate = estimate.unwrap_or_default();
        let bytes = estimate.saturating_mul(settings.original.files());
        let reservation = catalog.reserve(&settings.quota, space, target, bytes)?;
        Ok(reservation.with_estimate(estimate))
    }

    /// Removes checkpoints that are older than [`Quota::max_age`](crate::Quota::max_age) at `now` and have no hold, and
    /// returns them. Blocks. The next call tries again where one could not be removed.
    ///
    /// # Errors
    /// The last failure, if nothing at all was removed.
    pub fn retain(&self, now: Timestamp) -> Result<Vec<Checkpoint>, Error> {
        self.inner.catalog.retain(&self.inner.settings.quota, now)
    }

    /// Prepares a location for the archive of the new checkpoint `id`. With a `redaction`, only the redacted archive is kept,
    /// and the runtime's own archive is never a file with a name unless the transport is [`Transport::File`]. A
    /// [`Transport::Spool`] reserves disk space for the estimate once more; without a redaction it is a plain FIFO.
    ///
    /// # Errors
    /// [`Error::Redaction`] where the redaction cannot be carried out as it is written.
    pub async fn intake(
        &self,
        reservation: Reservation,
        id: CheckpointId,
        transport: Transport,
        redaction: Option<Redaction>,
    ) -> Result<Intake, Error> {
        let inner = &self.inner;
        Intake::open(Job {
            directory: Arc::clone(&inner.directory),
            space: Arc::clone(&inner.space),
            transports: Arc::clone(&inner.transports),
            bounds: Bounds {
                max_bytes: inner.settings.max_bytes,
                patience: inner.settings.drain_timeout,
            },
            keep_original: inner.settings.original.clone(),
            reservation,
            id,
            transport,
            redaction,
            steps: Steps::default(),
        })
        .await
    }

    /// The transport of the next archive from this runtime. With [`TransportChoice::Auto`](crate::TransportChoice::Auto): a
    /// FIFO, into a spool if the runtime keeps containers paused while it writes, until this runtime refused a FIFO.
    pub fn transport(&self, runtime: &RuntimeInfo) -> Transport {
        self.inner.transports.next(runtime)
    }

    /// Remembers that this runtime refuses FIFOs. Changes [`Store::transport`] only with
    /// [`TransportChoice::Auto`](crate::TransportChoice::Auto).
    pub fn remember_refusal(&self) {
        self.inner.transports.remember_refusal();
    }

    /// Checks that the store can be written: its path still leads to it, and a small file can be created, renamed and
    /// removed. Blocks for as long as the disk does.
    pub fn probe(&self) -> Result<(), Error> {
        self.inner.directory.probe()
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }
}
