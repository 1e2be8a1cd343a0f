use std::sync::atomic::Ordering::Relaxed;

use super::*;

/// What the disk is to do wrong.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Fails every write and every cut.
    pub(super) read_only: AtomicBool,
    /// Writes half of it, and fails.
    pub(super) full: AtomicBool,
    /// Syncs come to an end only while this is false.
    hung: std::sync::Mutex<bool>,
    eased: std::sync::Condvar,
    /// The most bytes that were written at once.
    most: std::sync::atomic::AtomicUsize,
}

impl Faults {
    pub(super) fn hang(&self, hung: bool) {
        *self.hung.lock().unwrap() = hung;
        self.eased.notify_all();
    }
}

#[derive(Debug)]
struct Faulty(File, Arc<Faults>);

impl crate::disk::Disk for Faulty {
    fn write(&self, bytes: &[u8], place: u64) -> io::Result<()> {
        self.1.most.fetch_max(bytes.len(), Relaxed);
        if self.1.read_only.load(Relaxed) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        if self.1.full.load(Relaxed) && !bytes.is_empty() {
            self.0.write(&bytes[..bytes.len() / 2], place)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(bytes, place)
    }

    fn sync(&self) -> io::Result<()> {
        drop(
            self.1
                .eased
                .wait_while(self.1.hung.lock().unwrap(), |hung| *hung)
                .unwrap(),
        );
        self.0.sync()
    }

    fn cut(&self, end: u64) -> io::Result<()> {
        if self.1.read_only.load(Relaxed) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        self.0.cut(end)
    }
}

fn faulty(path: &Path) -> (Log, Arc<Faults>) {
    faulty_with(path, Settings::default())
}

pub(super) fn faulty_with(path: &Path, settings: Settings) -> (Log, Arc<Faults>) {
    let faults = Arc::<Faults>::default();
    let (mut tail, recovered) = Tail::open(path, settings).unwrap();
    let file = File::options().read(true).write(true).open(path).unwrap();
    tail.replace(Box::new(Faulty(file, Arc::clone(&faults))));
    (Log::of(path, tail, recovered), faults)
}

#[tokio::test]
async fn a_disk_that_fails_refuses_and_afterwards_the_chain_goes_on_without_a_restart() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (log, faults) = faulty(&path);
    log.write(outcome(1)).await.unwrap();
    for (fault, expected) in [
        (&faults.read_only, io::ErrorKind::ReadOnlyFilesystem),
        (&faults.full, io::ErrorKind::StorageFull),
    ] {
        fault.store(true, Relaxed);
        assert_eq!(kind(log.write(outcome(2)).await), expected);
        assert_eq!(kind(log.write_intent(intent(1)).await.map(drop)), expected);
        fault.store(false, Relaxed);
        log.write(outcome(3)).await.unwrap();
    }
    // A disk that becomes read-only in the middle of a write leaves half a line, which goes when it can be written again.
    faults.full.store(true, Relaxed);
    let writing = log.write(outcome(2));
    assert_eq!(kind(writing.await), io::ErrorKind::StorageFull);
    faults.full.store(false, Relaxed);
    log.write(outcome(3)).await.unwrap();
    assert_eq!(
        lines(&path),
        [outcome(1), outcome(3), outcome(3), outcome(3)]
    );
    assert_eq!(verified(&path).records, 4);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_refuses_in_time_and_what_it_takes_later_is_in_the_chain() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (log, faults) = faulty(&path);
    faults.hang(true);
    let waiting = log.write_intent(intent(1));
    let over = tokio::time::advance(PATIENCE);
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
fn what_is_written_at_once_has_a_bound() {
    let _process = PROCESS.blocking_read();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (log, faults) = faulty(&path);
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
        faults.most.load(Relaxed) < crate::tail::BATCH + (2 << 20),
        "{faults:?}"
    );
    assert_eq!(verified(&path).records, 40 - refused as u64);
}
