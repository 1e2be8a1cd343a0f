use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gateway_core::{Event, Record, RequestId};
use tokio::sync::Semaphore;

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
    file: Arc<Mutex<Tail>>,
    places: Arc<Semaphore>,
}

impl Log {
    /// Opens the log at `path`, or makes it with mode 0600. A last line that a crash cut short is closed with a line end,
    /// so that it spoils no other.
    ///
    /// # Errors
    /// [`Error::Open`] where that fails or `path` is not a regular file of one name.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let tail = Tail::open(path).map_err(|source| Error::Open { path: path.to_path_buf(), source })?;
        Ok(Self {
            path: path.to_path_buf(),
            file: Arc::new(Mutex::new(tail)),
            places: Arc::new(Semaphore::new(WAITING)),
        })
    }

    /// Writes down what is about to be done and waits until that is durable.
    ///
    /// # Errors
    /// Any error means: do not do it.
    pub async fn intend(&self, record: Record) -> Result<Intent, Error> {
        debug_assert!(matches!(record.event, Event::Intent { .. }));
        let request_id = record.request_id;
        self.append(record).await?;
        Ok(Intent { request_id })
    }

    /// Writes down how a request ended, or what was removed, and waits until that is durable.
    ///
    /// # Errors
    /// What is lost is the record, never what it is about.
    pub async fn close(&self, record: Record) -> Result<(), Error> {
        debug_assert!(!matches!(record.event, Event::Intent { .. }));
        self.append(record).await
    }

    /// Whether the log can be written to now.
    ///
    /// # Errors
    /// Why not.
    pub async fn probe(&self) -> Result<(), Error> {
        self.on_tail(Tail::sync).await
    }

    async fn append(&self, record: Record) -> Result<(), Error> {
        self.on_tail(move |tail| {
            let mut line = serde_json::to_vec(&record)?;
            line.push(b'\n');
            tail.append(&line)
        })
        .await
    }

    async fn on_tail(
        &self,
        work: impl FnOnce(&mut Tail) -> io::Result<()> + Send + 'static,
    ) -> Result<(), Error> {
        let path = || self.path.clone();
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Busy { path: path() })?;
        let file = Arc::clone(&self.file);
        // The place is held for as long as the disk takes, not for as long as anybody waits for it.
        let write = tokio::task::spawn_blocking(move || {
            let _place = place;
            work(&mut file.lock().unwrap_or_else(PoisonError::into_inner))
        });
        match tokio::time::timeout(PATIENCE, write).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(source))) => Err(Error::Write { path: path(), source }),
            Ok(Err(lost)) => Err(Error::Write { path: path(), source: io::Error::other(lost) }),
            Err(_) => Err(Error::Slow { path: path() }),
        }
    }
}

/// The end of the file, where whole lines are added.
#[derive(Debug)]
struct Tail {
    file: File,
    /// Up to here the file holds whole records.
    end: u64,
}

impl Tail {
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        let mut file = options.open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() || meta.nlink() != 1 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file with one name"));
        }
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| io::Error::new(io::ErrorKind::AlreadyExists, "another gateway writes to it"))?;
        let mut end = file.seek(SeekFrom::End(0))?;
        if end > 0 && !ends_a_line(&file, end)? {
            file.write_all(b"\n")?;
            end = end.saturating_add(1);
        }
        file.sync_all()?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(Self { file, end })
    }

    /// All of `line` durably, or nothing: what a failed write left behind is cut off again.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(line).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.file.set_len(self.end)?;
            self.file.seek(SeekFrom::Start(self.end))?;
            return Err(error);
        }
        self.end = self.end.saturating_add(line.len() as u64);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn ends_a_line(file: &File, end: u64) -> io::Result<bool> {
    let mut last = [0];
    std::os::unix::fs::FileExt::read_exact_at(file, &mut last, end.saturating_sub(1))?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::Outcome;

    fn outcome(status: u16) -> Record {
        Record {
            schema: Record::SCHEMA,
            at: jiff::Timestamp::UNIX_EPOCH,
            request_id: uuid::Uuid::nil().into(),
            trace_id: None,
            event: Event::Outcome(Outcome {
                action: None,
                user: None,
                source_address: Some([127, 0, 0, 1].into()),
                target: None,
                status,
                code: None,
                verdicts: Vec::new(),
                checkpoint_id: None,
                sha256: None,
                bytes: None,
                redaction: None,
                hidden: Vec::new(),
                duration_us: 0,
            }),
        }
    }

    fn lines(path: &Path) -> Vec<Record> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    #[tokio::test]
    async fn records_are_lines_in_a_private_file_and_survive_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        for status in [200, 403] {
            Log::open(&path).unwrap().close(outcome(status)).await.unwrap();
        }
        assert_eq!(lines(&path), [outcome(200), outcome(403)]);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_line_that_a_crash_cut_short_spoils_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        std::fs::write(&path, "{\"schema\":1,\"at\":").unwrap();
        Log::open(&path).unwrap().close(outcome(200)).await.unwrap();
        assert_eq!(lines(&path), [outcome(200)]);
    }

    #[tokio::test]
    async fn a_log_that_cannot_take_a_record_refuses_it() {
        let log = Log {
            path: "/dev/full".into(),
            file: Arc::new(Mutex::new(Tail {
                file: File::options().write(true).open("/dev/full").unwrap(),
                end: 0,
            })),
            places: Arc::new(Semaphore::new(1)),
        };
        assert!(matches!(log.close(outcome(200)).await, Err(Error::Write { .. })));
    }

    #[test]
    fn two_gateways_never_share_a_log() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let _first = Log::open(&path).unwrap();
        let Err(Error::Open { source, .. }) = Log::open(&path) else { panic!("opened twice") };
        assert_eq!(source.to_string(), "another gateway writes to it");
    }

    #[test]
    fn a_symlink_is_no_log() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(matches!(Log::open(&path), Err(Error::Open { .. })));
    }
}
