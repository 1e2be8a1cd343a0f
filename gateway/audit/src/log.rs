//! The audit log of one gateway, as the gateway writes it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway_core::{Event, Record, RequestId};
use tokio::sync::Semaphore;

use crate::chain::{MAX_LINE, record_too_long};
use crate::disk::{Disk, SystemDisk};
use crate::error::Error;
use crate::queue::{Permits, Queue};
use crate::recovery::Recovered;
use crate::settings::{Settings, Signing};
use crate::work::Work;
use crate::writer::Writer;

/// The longest time in which a record must become durable, including the wait for others.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// The most records that may wait to be written.
const MAX_WAITING: usize = 1024;
/// The most bytes of records that may wait to be written.
const MAX_WAITING_BYTES: usize = 32 << 20;

/// Proof that the intent of one request is durable. It permits that request, and no other, to touch the runtime.
#[derive(Debug)]
pub struct Intent {
    request_id: RequestId,
}

impl Intent {
    /// The request whose intent was written.
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }
}

/// The audit log of one gateway. Clones write to the same file.
#[derive(Debug, Clone)]
pub struct Log {
    path: PathBuf,
    queue: Arc<Queue>,
    free_requests: Arc<Semaphore>,
    free_bytes: Arc<Semaphore>,
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

    /// Opens the log at `path`, or creates it with mode 0600, and continues its chain. An incomplete last line, left by a
    /// crash, is removed: nobody was told that it is durable. Intents without an outcome get one with status 0 and the code
    /// `unknown`. For that the active file is read, and closed ones up to 64 MiB in total. [`Log::recovered`] reports both.
    ///
    /// # Errors
    /// [`Error::Open`] if that fails, if `path` is not a regular file with one name or not a chained log, or if the
    /// previous key is not the one that signed it. Outcomes that cannot be written are no error, but nothing else is written
    /// before them.
    pub fn open_with(path: &Path, settings: Settings) -> Result<Self, Error> {
        Self::open_on(Box::new(SystemDisk), path, settings)
    }

    /// Opens the log as [`Log::open_with`] does, and writes to it through `disk`.
    fn open_on(disk: Box<dyn Disk>, path: &Path, settings: Settings) -> Result<Self, Error> {
        let opened = Writer::open(path, settings, disk);
        let (writer, recovered) = opened.map_err(|source| Error::Open {
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self {
            path: path.to_path_buf(),
            queue: Queue::new(writer),
            free_requests: Arc::new(Semaphore::new(MAX_WAITING)),
            free_bytes: Arc::new(Semaphore::new(MAX_WAITING_BYTES)),
            recovered,
        })
    }

    /// The repairs that were made when the log was opened.
    pub fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Writes an intent and waits until it is durable.
    ///
    /// # Errors
    /// After any error the intended action must not be carried out. A record of another kind is [`Error::Write`].
    pub async fn write_intent(&self, record: Record) -> Result<Intent, Error> {
        if !matches!(record.event, Event::Intent { .. }) {
            return Err(self.write_error(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the record is not an intent",
            )));
        }
        let request_id = record.request_id;
        self.write(record).await?;
        Ok(Intent { request_id })
    }

    /// Writes a record, such as an outcome, and waits until it is durable.
    ///
    /// # Errors
    /// The record is lost; the event that it describes has happened nevertheless.
    pub async fn write(&self, record: Record) -> Result<(), Error> {
        let body = body(&record).map_err(|source| self.write_error(source))?;
        self.queue(Work::Record(body)).await
    }

    /// Checks that the log can be written now.
    ///
    /// # Errors
    /// The reason why it cannot.
    pub async fn check_writable(&self) -> Result<(), Error> {
        self.queue(Work::Probe).await
    }

    /// Signs a head over the lines that no head covers yet, and waits until it is durable. Without a key, or with nothing to
    /// sign, this does nothing.
    ///
    /// # Errors
    /// Nothing is lost: the next head covers the same lines.
    pub async fn sign_head(&self) -> Result<(), Error> {
        self.queue(Work::SignHead).await
    }

    /// Signs with another key from now on, or with none. The key in force signs the lines so far and the change, so
    /// [`Signing::previous`] is not needed. Returns whether it is another key; if it is the same, nothing is written.
    ///
    /// # Errors
    /// The old key then stays in force.
    pub async fn change_key(&self, signing: Option<Signing>) -> Result<bool, Error> {
        let changed = Arc::new(AtomicBool::new(false));
        self.queue(Work::ChangeKey {
            signing,
            changed: Arc::clone(&changed),
        })
        .await?;
        Ok(changed.load(Ordering::Relaxed))
    }

    async fn queue(&self, work: Work) -> Result<(), Error> {
        let permits = self.permits(work.bytes()).ok_or_else(|| Error::Busy {
            path: self.path.clone(),
        })?;
        match tokio::time::timeout(WRITE_TIMEOUT, self.queue.push(work, permits)).await {
            Ok(Ok(written)) => written.map_err(|source| self.write_error(source)),
            Ok(Err(lost)) => Err(self.write_error(io::Error::other(lost))),
            Err(_) => Err(Error::Slow {
                path: self.path.clone(),
                timeout: WRITE_TIMEOUT,
            }),
        }
    }

    fn permits(&self, bytes: usize) -> Option<Permits> {
        let bytes = u32::try_from(bytes).ok()?;
        let request = Arc::clone(&self.free_requests).try_acquire_owned().ok()?;
        let bytes = Arc::clone(&self.free_bytes)
            .try_acquire_many_owned(bytes)
            .ok()?;
        Some(Permits::new(request, bytes))
    }

    fn write_error(&self, source: io::Error) -> Error {
        Error::Write {
            path: self.path.clone(),
            source,
        }
    }
}

/// A record as JSON. A record that is too long for a line is refused before it takes space in the queue.
fn body(record: &Record) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(record)?;
    if body.len() > MAX_LINE {
        return Err(record_too_long());
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
