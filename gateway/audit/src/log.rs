use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway_core::{Event, Record, RequestId};
use tokio::sync::Semaphore;

use crate::chain::LONGEST;
use crate::key::{KeyError, SigningKey};
use crate::observer::Observer;
use crate::queue::{Place, Queue, Work};
use crate::tail::{Recovered, Tail};

/// How long one record may take to become durable, waiting for others included.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many records may wait to be written.
const WAITING: usize = 1024;
/// How many bytes of records may wait to be written.
const WAITING_BYTES: usize = 32 << 20;

/// How a log is written.
#[derive(Debug)]
pub struct Settings {
    /// At this length in bytes a file is closed, and another one begun.
    pub segment_bytes: u64,
    /// What signs it; without, it is chained only.
    pub signing: Option<Signing>,
    /// Who is told each line.
    pub observer: Option<Box<dyn Observer>>,
}

impl Default for Settings {
    /// Files of 64 MiB, no signature and no observer.
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            signing: None,
            observer: None,
        }
    }
}

/// What signs a log.
#[derive(Debug, Clone)]
pub struct Signing {
    /// The key.
    pub key: Arc<SigningKey>,
    /// The key that signed until now, where it is another one: it vouches for the new one.
    pub previous: Option<Arc<SigningKey>>,
    /// After so many records a head is signed without being asked for.
    pub records: NonZeroU64,
}

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
    /// A key that is to sign the log cannot be used.
    #[error("cannot use the key `{}`", .path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeyError,
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

impl Error {
    /// Which file it is about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Open { path, .. }
            | Self::Key { path, .. }
            | Self::Write { path, .. }
            | Self::Slow { path }
            | Self::Busy { path } => path,
        }
    }
}

impl Signing {
    /// Reads the keys from files, and signs a head after so many `records`.
    ///
    /// # Errors
    /// [`Error::Key`] where one of them cannot be used.
    pub fn read(key: &Path, previous: Option<&Path>, records: NonZeroU64) -> Result<Self, Error> {
        let read = |path: &Path| {
            SigningKey::read(path)
                .map(Arc::new)
                .map_err(|source| Error::Key {
                    path: path.to_path_buf(),
                    source,
                })
        };
        Ok(Self {
            key: read(key)?,
            previous: previous.map(read).transpose()?,
            records,
        })
    }
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
    room: Arc<Semaphore>,
    recovered: Recovered,
}

impl Log {
    /// Opens the log at `path` with the default settings: see [`Log::open_with`].
    ///
    /// # Errors
    /// As there.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Settings::default())
    }

    /// Opens the log at `path`, or makes it with mode 0600, and goes on with its chain. A last line that a crash cut short is
    /// removed: nobody was told that it is durable. Intents without an outcome, in the last 64 MiB, get one with status 0 and
    /// the code `unknown`. [`Log::recovered`] tells of both. The active file is read, and of the closed ones as much as makes
    /// 64 MiB with it.
    ///
    /// # Errors
    /// [`Error::Open`] where that fails, `path` is not a regular file of one name or no chained log, or the previous key is not
    /// the one that signed it. That outcomes cannot be written is no error: until they are, nothing else is.
    pub fn open_with(path: &Path, settings: Settings) -> Result<Self, Error> {
        let (tail, recovered) = Tail::open(path, settings).map_err(|source| Error::Open {
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self::of(path, tail, recovered))
    }

    fn of(path: &Path, tail: Tail, recovered: Recovered) -> Self {
        let (places, room) = (Semaphore::new(WAITING), Semaphore::new(WAITING_BYTES));
        let (places, room) = (Arc::new(places), Arc::new(room));
        Self {
            path: path.to_path_buf(),
            queue: Queue::new(tail),
            places,
            room,
            recovered,
        }
    }

    /// What the last run left, and was put in order when the log was opened.
    pub fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Writes down what is about to be done and waits until that is durable.
    ///
    /// # Errors
    /// Any error means: do not do it.
    pub async fn write_intent(&self, record: Record) -> Result<Intent, Error> {
        debug_assert!(matches!(record.event, Event::Intent { .. }));
        let request_id = record.request_id;
        self.append(body(&record)).await?;
        Ok(Intent { request_id })
    }

    /// Writes down how a request ended, or what was removed, and waits until that is durable.
    ///
    /// # Errors
    /// What is lost is the record, never what it is about.
    pub async fn write(&self, record: Record) -> Result<(), Error> {
        debug_assert!(!matches!(record.event, Event::Intent { .. }));
        self.append(body(&record)).await
    }

    /// Whether the log can be written to now.
    ///
    /// # Errors
    /// Why not.
    pub async fn check_writable(&self) -> Result<(), Error> {
        self.append(Ok(Work::Probe)).await
    }

    /// Signs what no head covers yet, and waits until that is durable. Without a key, or where all is covered, it does nothing.
    ///
    /// # Errors
    /// What is not signed now is so by the next head.
    pub async fn sign_head(&self) -> Result<(), Error> {
        self.append(Ok(Work::Seal)).await
    }

    /// Has another key sign from here on, or none. What stood before is signed by the one that signed until now, and so is the
    /// change itself, so it needs no previous key. Tells whether it is another one; where it is not, nothing is written.
    ///
    /// # Errors
    /// The old one then goes on.
    pub async fn change_key(&self, signing: Option<Signing>) -> Result<bool, Error> {
        let changed = Arc::new(AtomicBool::new(false));
        self.append(Ok(Work::Keys {
            signing,
            changed: Arc::clone(&changed),
        }))
        .await?;
        Ok(changed.load(Ordering::Relaxed))
    }

    async fn append(&self, work: io::Result<Work>) -> Result<(), Error> {
        let path = || self.path.clone();
        let work = work.map_err(|source| Error::Write {
            path: path(),
            source,
        })?;
        let place = self
            .place(work.bytes())
            .ok_or_else(|| Error::Busy { path: path() })?;
        match tokio::time::timeout(PATIENCE, self.queue.push(work, place)).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(source))) => Err(Error::Write {
                path: path(),
                source,
            }),
            Ok(Err(lost)) => Err(Error::Write {
                path: path(),
                source: io::Error::other(lost),
            }),
            Err(_) => Err(Error::Slow { path: path() }),
        }
    }

    fn place(&self, bytes: usize) -> Option<Place> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let room = Arc::clone(&self.room)
            .try_acquire_many_owned(u32::try_from(bytes).ok()?)
            .ok()?;
        Some((place, room))
    }
}

/// A record as JSON. One that is too long for a line takes no room among those that wait.
fn body(record: &Record) -> io::Result<Work> {
    let body = serde_json::to_vec(record)?;
    if body.len() > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the record is too long for a line",
        ));
    }
    Ok(Work::Record(body))
}

#[cfg(test)]
mod tests;
