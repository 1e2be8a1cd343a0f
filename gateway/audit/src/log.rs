use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway_core::{Event, Record, RequestId};
use tokio::sync::Semaphore;

use crate::queue::Queue;
use crate::tail::Tail;

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
    cut: u64,
}

impl Log {
    /// Opens the log at `path`, or makes it with mode 0600, and goes on with its chain. A last line that a crash cut short is
    /// removed: nobody was told that it is durable. [`Log::cut`] tells of it.
    ///
    /// # Errors
    /// [`Error::Open`] where that fails, `path` is not a regular file of one name, or its end is not that of a chained log.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (tail, cut) =
            Tail::open(path).map_err(|source| Error::Open { path: path.to_path_buf(), source })?;
        Ok(Self { path: path.to_path_buf(), queue: Queue::new(tail), places: places(), cut })
    }

    /// How many bytes of a line that a crash cut short were removed when the log was opened.
    pub fn cut(&self) -> u64 {
        self.cut
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
mod tests {
    use std::fs::File;
    use std::os::unix::fs::MetadataExt;

    use gateway_core::Outcome;

    use super::*;

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

    fn verified(path: &Path) -> crate::Verified {
        crate::verify(io::BufReader::new(File::open(path).unwrap()), None).unwrap()
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
    async fn a_line_that_a_crash_cut_short_is_removed_and_the_chain_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        for kept in [0, 5, 80, 100] {
            Log::open(&path).unwrap().close(outcome(200)).await.unwrap();
            let before = std::fs::read(&path).unwrap();
            Log::open(&path).unwrap().close(outcome(403)).await.unwrap();
            File::options().write(true).open(&path).unwrap().set_len(before.len() as u64 + kept).unwrap();
            let log = Log::open(&path).unwrap();
            assert_eq!((log.cut(), std::fs::read(&path).unwrap()), (kept, before));
            log.close(outcome(500)).await.unwrap();
        }
        assert_eq!(verified(&path).records, 8);
    }

    #[test]
    fn what_is_no_chained_log_is_neither_continued_nor_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let old = serde_json::to_string(&outcome(200)).unwrap() + "\n";
        for text in ["precious", "precious\n", &old, &"x".repeat(3 << 20)] {
            std::fs::write(&path, text).unwrap();
            let Err(Error::Open { source, .. }) = Log::open(&path) else { panic!("{text}") };
            assert!(source.to_string().contains("move the file away"), "{source}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[tokio::test]
    async fn many_writers_at_once_make_one_chain() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let log = Log::open(&path).unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for status in 0..500 {
            let log = log.clone();
            writers.spawn(async move { log.close(outcome(status)).await });
        }
        assert!(writers.join_all().await.iter().all(Result::is_ok));
        assert_eq!(verified(&path).records, 500);
        let mut written: Vec<_> = lines(&path);
        written.sort_by_key(|record| match &record.event {
            Event::Outcome(outcome) => outcome.status,
            _ => panic!("no outcome"),
        });
        assert_eq!(written, (0..500).map(outcome).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_record_that_makes_no_line_spoils_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let log = Log::open(&path).unwrap();
        let mut huge = outcome(200);
        if let Event::Outcome(outcome) = &mut huge.event {
            outcome.code = Some("x".repeat(2 << 20));
        }
        let (one, other, third) = tokio::join!(log.close(outcome(1)), log.close(huge), log.close(outcome(2)));
        assert!(one.is_ok() && matches!(other, Err(Error::Write { .. })) && third.is_ok());
        assert_eq!(verified(&path).records, 2);
    }

    #[tokio::test]
    async fn a_log_that_cannot_take_a_record_refuses_it() {
        let file = File::options().write(true).open("/dev/full").unwrap();
        let queue = Queue::new(Tail::of(file));
        let log = Log { path: "/dev/full".into(), queue, places: Arc::new(Semaphore::new(1)), cut: 0 };
        let Err(Error::Write { source, .. }) = log.close(outcome(200)).await else { panic!("written") };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
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
