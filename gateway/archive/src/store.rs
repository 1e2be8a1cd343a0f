use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gateway_core::{Checkpoint, CheckpointId, Target, Transport};
use gateway_redact::Redaction;
use jiff::Timestamp;

use crate::catalog::Catalog;
use crate::directory::Directory;
use crate::space::Space;
use crate::sweep::sweep;
use crate::worker::Job;
use crate::{Cleaned, Error, Intake, Reservation, Settings, TransportChoice};

/// A directory of checkpoints, held by this gateway alone. Clones share it; it is free again when the last of them and
/// the last archive under way are gone.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) directory: Arc<Directory>,
    pub(crate) settings: Settings,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) space: Arc<Space>,
    refused: AtomicBool,
}

impl Store {
    /// Makes the directory if it is absent, locks it and removes what a crash left; tells what that was. Refuses a
    /// directory that is a symlink, that belongs to another user, or to which others have access.
    pub fn open(settings: Settings) -> Result<(Self, Vec<Cleaned>), Error> {
        let directory = Arc::new(Directory::open(&settings.directory)?);
        let cleaned = sweep(&directory)?;
        directory.probe()?;
        let catalog = Arc::new(Catalog::open(Arc::clone(&directory))?);
        let measured = Arc::clone(&directory);
        let space = Arc::new(Space::new(settings.min_free_bytes, move || measured.free()));
        let refused = AtomicBool::new(false);
        let inner = Arc::new(Inner {
            directory,
            settings,
            catalog,
            space,
            refused,
        });
        Ok((Self { inner }, cleaned))
    }

    /// Promises room for an archive of `estimate` bytes of the container that `target` names, and for its original where
    /// originals are kept. Without an estimate the
    /// bytes that are there and promised must leave some room, and the disk is asked again as the archive grows. May
    /// remove others ([`WhenFull::DeleteOldest`](crate::WhenFull::DeleteOldest)), which [`Reservation::removed`] tells,
    /// and then blocks for as long as the disk does.
    ///
    /// # Errors
    /// [`Error::Quota`] where a limit would be broken, counting what is promised to archives still coming;
    /// [`Error::NoSpace`] when that would leave less free than must stay free, counting likewise.
    pub fn reserve(&self, target: &Target, estimate: Option<u64>) -> Result<Reservation, Error> {
        let Inner {
            catalog,
            settings,
            space,
            ..
        } = &*self.inner;
        // In the worst case nothing is left out of the archive, and its original is as large.
        let bytes = estimate
            .unwrap_or_default()
            .saturating_mul(settings.original.files());
        catalog.reserve(&settings.quota, space, target, bytes)
    }

    /// Removes what is older than [`Quota::max_age`](crate::Quota::max_age) at `now`, but for what is held, and tells what
    /// that was. Blocks. What fails is tried again by the next call.
    ///
    /// # Errors
    /// What failed, where nothing at all was removed.
    pub fn retain(&self, now: Timestamp) -> Result<Vec<Checkpoint>, Error> {
        self.inner.catalog.retain(&self.inner.settings.quota, now)
    }

    /// A place for the archive of the checkpoint `id`, which must be new. With a `redaction`, only what it leaves is kept,
    /// and the runtime's own archive never is a file with a name unless the transport is [`Transport::File`].
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
        Intake::open(Job {
            inner: Arc::clone(&self.inner),
            reservation,
            id,
            transport,
            redaction,
        })
        .await
    }

    /// How the next archive is to come. With [`TransportChoice::Auto`]: through a FIFO until this runtime refused one.
    pub fn transport(&self) -> Transport {
        match self.inner.settings.transport {
            TransportChoice::Auto if self.inner.refused.load(Ordering::Relaxed) => Transport::File,
            TransportChoice::Auto | TransportChoice::Fifo => Transport::Fifo,
            TransportChoice::File => Transport::File,
        }
    }

    /// This runtime takes no FIFO. Changes [`Store::transport`] only with [`TransportChoice::Auto`].
    pub fn remember_refusal(&self) {
        self.inner.remember_refusal();
    }

    /// Whether the store can be written: its path still leads to it, and a small file can be created, renamed and removed.
    /// Blocks for as long as the disk does.
    pub fn probe(&self) -> Result<(), Error> {
        self.inner.directory.probe()
    }
}

impl Store {
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }
}

impl Inner {
    pub(crate) fn remember_refusal(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }
}
