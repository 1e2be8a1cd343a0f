use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway_core::{Event, Record, RequestId};
use tokio::sync::Semaphore;

use crate::queue::Queue;
use crate::tail::{Recovered, Tail};

/// How long one record may take to become durable, waiting for others included.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many records may wait to be written.
const WAITING: usize = 1024;

/// Why a record is not in the log. Whoever gets this must not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened, or is not one that a log may be appended to.
    #[error("cannot open the audit log `{}`", .path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The record could not be written or made durable.
    #[error("cannot write to the audit log `{}`", .path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The disk did not answer in time.
    #[error("the audit log `{}` did not take a record within {} s", .path.display(), PATIENCE.as_secs())]
    Slow {
        /// Which file.
        path: PathBuf,
    },
    /// Too many records wait already.
    #[error("too many records wait for the audit log `{}`", .path.display())]
    Busy {
        /// Which file.
        path: PathBuf,
    },
}

/// Proof that an intent is durable: who holds it may touch the runtime for that request, and for no other.
#[derive(Debug)]
pub struct Intent {
    request_id: RequestId,
}

impl Intent {
    /// The request that it is about.
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }
}

/// The audit log of one gateway. Clones write to the same file.
#[derive(Debug, Clone)]
pub struct Log {
    path: PathBuf,
    queue: Arc<Queue>,
    places: Arc<Semaphore>,
    recovered: Recovered,
}

impl Log {
    /// Opens the log at `path`, or makes it with mode 0600, and goes on with its chain. A last line that a crash cut short is
    /// removed: nobody was told that it is durable. Intents
    /// without an outcome, in the last 64 MiB, get one with status 0 and the code `unknown`. [`Log::recovered`] tells of both.
    ///
    /// # Errors
    /// [`Error::Open`] where that fails, `path` is not a regular file of one name, or its end is not that of a chained log.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (tail, recovered) =
            Tail::open(path).map_err(|source| Error::Open { path: path.to_path_buf(), source })?;
        Ok(Self { path: path.to_path_buf(), queue: Queue::new(tail), places: places(), recovered })
    }

    /// What the last run left, and was put in order when the log was opened.
    pub fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Writes down what is about to be done and waits until that is durable.
    ///
    /// # Errors
    /// Any error means: do not do it.
    pub async fn intend(&self, record: Record) -> Result<Intent, Error> {
        debug_assert!(matches!(record.event, Event::Intent { .. }));
        let request_id = record.request_id;
        self.append(Some(record)).await?;
        Ok(Intent { request_id })
    }

    /// Writes down how a request ended, or what was removed, and waits until that is durable.
    ///
    /// # Errors
    /// What is lost is the record, never what it is about.
    pub async fn close(&self, record: Record) -> Result<(), Error> {
        debug_assert!(!matches!(record.event, Event::Intent { .. }));
        self.append(Some(record)).await
    }

    /// Whether the log can be written to now.
    ///
    /// # Errors
    /// Why not.
    pub async fn probe(&self) -> Result<(), Error> {
        self.append(None).await
    }

    async fn append(&self, record: Option<Record>) -> Result<(), Error> {
        let path = || self.path.clone();
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Busy { path: path() })?;
        match tokio::time::timeout(PATIENCE, self.queue.push(record, place)).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(source))) => Err(Error::Write { path: path(), source }),
            Ok(Err(lost)) => Err(Error::Write { path: path(), source: io::Error::other(lost) }),
            Err(_) => Err(Error::Slow { path: path() }),
        }
    }
}

fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(WAITING))
}

#[cfg(test)]
mod tests;
