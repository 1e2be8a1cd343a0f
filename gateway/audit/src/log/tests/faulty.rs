//! Tests of a log on a disk that fails, fills up or hangs.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::{Condvar, Mutex};

use super::*;
use crate::disk::Disk;
use crate::work::MAX_WRITE;

/// The faults of a disk.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Every write and truncation fails.
    pub(super) read_only: AtomicBool,
    /// Half of a write is written, then it fails.
    pub(super) full: AtomicBool,
    /// No sync returns.
    hung: Mutex<bool>,
    resumed: Condvar,
    /// The length of the longest write in bytes.
    largest_write: AtomicUsize,
}

impl Faults {
    pub(super) fn hang(&self, hung: bool) {
        *self.hung.lock() = hung;
        self.resumed.notify_all();
    }
}

#[derive(Debug)]
struct FaultyDisk(Arc<Faults>);

impl Disk for FaultyDisk {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let Self(faults) = self;
        faults.largest_write.fetch_max(bytes.len(), Relaxed);
        if faults.read_only.load(Relaxed) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        if faults.full.load(Relaxed) && !bytes.is_empty() {
            SystemDisk.write(file, &bytes[..bytes.len() / 2], offset)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        SystemDisk.write(file, bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut hung = self.0.hung.lock();
        self.0.resumed.wait_while(&mut hung, |hung| *hung);
        drop(hung);
        SystemDisk.sync(file)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        if self.0.read_only.load(Relaxed) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        SystemDisk.truncate(file, length)
    }
}

/// A log on a disk that fails on request.
pub(super) fn open_faulty(path: &Path, settings: Settings) -> (Log, Arc<Faults>) {
    let faults = Arc::<Faults>::default();
    let disk = Box::new(FaultyDisk(Arc::clone(&faults)));
    (Log::open_on(disk, path, settings).unwrap(), faults)
}

#[tokio::test]
async fn continues_after_disk_errors_without_a_restart() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (log, faults) = open_faulty(&path, Settings::default());
    log.write(outcome(1)).await.unwrap();
    for (fault, expected) in [
        (&faults.read_only, io::ErrorKind::ReadOnlyFilesystem),
        (&faults.full, io::ErrorKind::StorageFull),
    ] {
        fault.store(true, Relaxed);
        assert_eq!(write_error_kind(log.write(outcome(2)).await), expected);
        assert_eq!(
            write_error_kind(log.write_intent(intent(1)).await.map(drop)),
            expected
        );
        fault.store(false, Relaxed);
        log.write(outcome(3)).await.unwrap();
    }
    // A disk that becomes read-only in the middle of a write leaves half a line, which goes when it can be written again.
    faults.full.store(true, Relaxed);
    let writing = log.write(outcome(2));
    assert_eq!(write_error_kind(writing.await), io::ErrorKind::StorageFull);
    faults.full.store(false, Relaxed);
    log.write(outcome(3)).await.unwrap();
    assert_eq!(
        lines(&path),
        [outcome(1), outcome(3), outcome(3), outcome(3)]
    );
    assert_eq!(verified(&path).records, 4);
}

#[tokio::test(start_paused = true)]
async fn hanging_disk_times_out_and_keeps_the_chain() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (log, faults) = open_faulty(&path, Settings::default());
    faults.hang(true);
    let waiting = log.write_intent(intent(1));
    let over = tokio::time::advance(WRITE_TIMEOUT);
    let (intended, probed, ()) = tokio::join!(waiting, log.check_writable(), over);
    assert!(matches!(
        (&intended, &probed),
        (Err(Error::Slow { .. }), Err(Error::Slow { .. }))
    ));
    faults.hang(false);
    while log.check_writable().await.is_err() {
        tokio::task::yield_now().await;
    }
    log.write(outcome(200)).await.unwrap();
    assert_eq!(
        lines(&path).len(),
        2,
        "whoever was refused has an intent, and writes an outcome to it"
    );
    assert_eq!(verified(&path).records, 2);
}

#[test]
fn bounds_the_queue_and_the_size_of_a_write() {
    let _process = PROCESS.blocking_read();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (log, faults) = open_faulty(&path, Settings::default());
    let huge = || {
        let mut record = outcome(200);
        if let Event::Outcome(outcome) = &mut record.event {
            outcome.code = Some("x".repeat(1_000_000));
        }
        record
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    faults.hang(true);
    let mut writers: Vec<_> = (0..40).map(|_| Box::pin(log.write(huge()))).collect();
    // All of them come while the disk is busy with the first.
    let refused = runtime.block_on(async {
        let mut refused = 0;
        for writer in &mut writers {
            let polled =
                std::future::poll_fn(|cx| std::task::Poll::Ready(writer.as_mut().poll(cx))).await;
            refused += usize::from(matches!(
                polled,
                std::task::Poll::Ready(Err(Error::Busy { .. }))
            ));
        }
        refused
    });
    assert!(
        (1..40).contains(&refused),
        "what waits has a bound, too: {refused}"
    );
    faults.hang(false);
    for writer in writers.drain(..40 - refused) {
        runtime.block_on(writer).unwrap();
    }
    assert!(
        faults.largest_write.load(Relaxed) < MAX_WRITE + (2 << 20),
        "{faults:?}"
    );
    assert_eq!(verified(&path).records, 40 - refused as u64);
}
