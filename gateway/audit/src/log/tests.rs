use std::fs::File;
use std::io::BufRead as _;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;

use gateway_core::Outcome;

use super::*;

/// A child has a copy of every descriptor until it becomes another program, and with it of a lock: who starts one runs alone.
static PROCESS: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());

fn outcome(status: u16) -> Record {
    Record {
        schema: Record::SCHEMA,
        at: jiff::Timestamp::UNIX_EPOCH,
        request_id: uuid::Uuid::nil().into(),
        trace_id: None,
        event: Event::Outcome(Box::new(Outcome {
            source_address: Some([127, 0, 0, 1].into()),
            status,
            bytes: None,
            ..Outcome::default()
        })),
    }
}

fn intent(id: u128) -> Record {
    let event = Event::Intent {
        action: gateway_core::Action::Create,
        user: None,
        groups: Vec::new(),
        credential: gateway_core::CredentialKind::BearerToken,
        issuer: "https://issuer.example".to_owned(),
        source_address: None,
        reason: None,
        target: "shop/cart-0/app".parse().unwrap(),
        container_id: "c0ffee".to_owned(),
        verdicts: Vec::new(),
        plan: gateway_core::PlanRecord { hide: vec!["identity.user".to_owned()], ..Default::default() },
        checkpoint_id: uuid::Uuid::from_u128(id).into(),
        request: None,
    };
    Record { request_id: uuid::Uuid::from_u128(id).into(), event, ..outcome(0) }
}

fn lines(path: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn verified(path: &Path) -> crate::Verified {
    crate::verify(path, &crate::Expected::default()).unwrap()
}

#[tokio::test]
async fn records_are_lines_in_a_private_file_and_survive_reopening() {
    let _process = PROCESS.read().await;
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
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    for kept in [0, 5, 80, 100] {
        Log::open(&path).unwrap().close(outcome(200)).await.unwrap();
        let before = std::fs::read(&path).unwrap();
        Log::open(&path).unwrap().close(outcome(403)).await.unwrap();
        File::options().write(true).open(&path).unwrap().set_len(before.len() as u64 + kept).unwrap();
        let log = Log::open(&path).unwrap();
        assert_eq!((log.recovered().cut, std::fs::read(&path).unwrap()), (kept, before));
        log.close(outcome(500)).await.unwrap();
    }
    assert_eq!(verified(&path).records, 8);
}

#[test]
fn what_is_no_chained_log_is_neither_continued_nor_cut() {
    let _process = PROCESS.blocking_read();
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
async fn an_intent_that_a_crash_left_open_is_closed_as_unknown_once() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = Log::open(&path).unwrap();
    for id in 1..4 {
        log.intend(intent(id)).await.unwrap();
    }
    log.close(Record { request_id: uuid::Uuid::from_u128(2).into(), ..outcome(200) }).await.unwrap();
    drop(log);
    assert_eq!(Log::open(&path).unwrap().recovered(), Recovered { unknown: 2, ..Recovered::default() });
    assert_eq!(Log::open(&path).unwrap().recovered(), Recovered::default());
    let [.., one, three] = &*lines(&path) else { panic!("lost") };
    for (id, record) in [(1, one), (3, three)] {
        let Event::Outcome(outcome) = &record.event else { panic!("{record:?}") };
        assert_eq!(record.request_id, uuid::Uuid::from_u128(id).into());
        assert_eq!((outcome.status, outcome.code.as_deref()), (0, Some("unknown")));
        assert_eq!(
            (outcome.user.as_deref(), outcome.hidden.as_slice()),
            (None, ["identity.user".to_owned()].as_slice())
        );
    }
    assert_eq!(verified(&path).records, 6);
}

#[tokio::test]
async fn many_writers_at_once_make_one_chain() {
    let _process = PROCESS.read().await;
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
    let _process = PROCESS.read().await;
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
    let _process = PROCESS.read().await;
    let file = File::options().write(true).open("/dev/full").unwrap();
    let path = Path::new("/dev/full");
    let log = Log::of(path, Tail::of(path, Box::new(file), Settings::default()), Recovered::default());
    let Err(Error::Write { source, .. }) = log.close(outcome(200)).await else { panic!("written") };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn two_gateways_never_share_a_log() {
    let _process = PROCESS.blocking_read();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let _first = Log::open(&path).unwrap();
    let Err(Error::Open { source, .. }) = Log::open(&path) else { panic!("opened twice") };
    assert_eq!(source.to_string(), "another gateway writes to it");
}

#[test]
fn a_symlink_is_no_log() {
    let _process = PROCESS.blocking_read();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    std::os::unix::fs::symlink("/dev/null", &path).unwrap();
    assert!(matches!(Log::open(&path), Err(Error::Open { .. })));
}

/// A disk of 64 KiB, gone with this.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "none"]).arg(dir.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(dir))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_with_room_again_the_chain_goes_on() {
    let _process = PROCESS.write().await;
    let Some(disk) = Disk::mount() else {
        println!("skipped: only root may mount a small disk");
        return;
    };
    let (path, ballast) = (disk.0.path().join("audit.log"), disk.0.path().join("ballast"));
    std::fs::write(&ballast, vec![0; 32 << 10]).unwrap();
    let log = Log::open(&path).unwrap();
    let mut whole = 0;
    let error = loop {
        match log.close(outcome(200)).await {
            Ok(()) => whole += 1,
            Err(error) => break error,
        }
    };
    let Error::Write { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    assert_eq!(verified(&path).records, whole, "no half line is left");
    std::fs::remove_file(&ballast).unwrap();
    log.close(outcome(200)).await.unwrap();
    assert_eq!(verified(&path).records, whole + 1);
}

/// Where the process writes that is to be killed.
const KILLED: &str = "GATEWAY_AUDIT_KILLED";

#[tokio::test]
#[ignore = "the process that the next test kills"]
async fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(KILLED) else { return };
    let log = Log::open(Path::new(&path)).unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let log = log.clone();
        writers.spawn(async move {
            loop {
                log.close(outcome(writer)).await.unwrap();
                println!("durable");
            }
        });
    }
    writers.join_all().await;
}

#[test]
fn a_killed_process_loses_no_record_that_it_was_told_is_durable() {
    let _process = PROCESS.blocking_write();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let mut durable = 0;
    for round in 0..20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "log::tests::writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(KILLED, &path)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = io::BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut count = |line: String| durable += u64::from(line.ends_with("durable"));
        told.by_ref().take(20 + round * 7).for_each(&mut count);
        child.kill().unwrap();
        child.wait().unwrap();
        told.for_each(count);
        drop(Log::open(&path).unwrap());
        assert!(verified(&path).records >= durable, "{durable}");
    }
    assert!(durable > 0);
}

/// What the disk is to do wrong.
#[derive(Debug, Default)]
struct Faults {
    /// Fails every write and every cut.
    read_only: std::sync::atomic::AtomicBool,
    /// Writes half of it, and fails.
    full: std::sync::atomic::AtomicBool,
    /// Syncs come to an end only while this is false.
    hung: std::sync::Mutex<bool>,
    eased: std::sync::Condvar,
    /// The most bytes that were written at once.
    most: std::sync::atomic::AtomicUsize,
}

impl Faults {
    fn hang(&self, hung: bool) {
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
        drop(self.1.eased.wait_while(self.1.hung.lock().unwrap(), |hung| *hung).unwrap());
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

fn faulty_with(path: &Path, settings: Settings) -> (Log, Arc<Faults>) {
    let faults = Arc::<Faults>::default();
    let (mut tail, recovered) = Tail::open(path, settings).unwrap();
    let file = File::options().read(true).write(true).open(path).unwrap();
    tail.replace(Box::new(Faulty(file, Arc::clone(&faults))));
    (Log::of(path, tail, recovered), faults)
}

fn kind(result: Result<(), Error>) -> io::ErrorKind {
    let Err(Error::Write { source, .. }) = result else { panic!("{result:?}") };
    source.kind()
}

#[tokio::test]
async fn a_disk_that_fails_refuses_and_afterwards_the_chain_goes_on_without_a_restart() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (log, faults) = faulty(&path);
    log.close(outcome(1)).await.unwrap();
    for (fault, expected) in
        [(&faults.read_only, io::ErrorKind::ReadOnlyFilesystem), (&faults.full, io::ErrorKind::StorageFull)]
    {
        fault.store(true, Relaxed);
        assert_eq!(kind(log.close(outcome(2)).await), expected);
        assert_eq!(kind(log.intend(intent(1)).await.map(drop)), expected);
        fault.store(false, Relaxed);
        log.close(outcome(3)).await.unwrap();
    }
    // A disk that becomes read-only in the middle of a write leaves half a line, which goes when it can be written again.
    faults.full.store(true, Relaxed);
    let writing = log.close(outcome(2));
    assert_eq!(kind(writing.await), io::ErrorKind::StorageFull);
    faults.full.store(false, Relaxed);
    log.close(outcome(3)).await.unwrap();
    assert_eq!(lines(&path), [outcome(1), outcome(3), outcome(3), outcome(3)]);
    assert_eq!(verified(&path).records, 4);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_refuses_in_time_and_what_it_takes_later_is_in_the_chain() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (log, faults) = faulty(&path);
    faults.hang(true);
    let waiting = log.intend(intent(1));
    let over = tokio::time::advance(PATIENCE);
    let (intended, probed, ()) = tokio::join!(waiting, log.probe(), over);
    assert!(matches!((&intended, &probed), (Err(Error::Slow { .. }), Err(Error::Slow { .. }))));
    faults.hang(false);
    while log.probe().await.is_err() {
        tokio::task::yield_now().await;
    }
    log.close(outcome(200)).await.unwrap();
    assert_eq!(lines(&path).len(), 2, "whoever was refused has an intent, and writes an outcome to it");
    assert_eq!(verified(&path).records, 2);
}

#[tokio::test]
async fn a_clock_that_is_set_back_shows_in_the_records_and_breaks_nothing() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = Log::open(&path).unwrap();
    let times = [500, 7, 900].map(|second| jiff::Timestamp::from_second(second).unwrap());
    for at in times {
        log.close(Record { at, ..outcome(200) }).await.unwrap();
    }
    assert_eq!(lines(&path).iter().map(|record| record.at).collect::<Vec<_>>(), times);
    drop(log);
    Log::open(&path).unwrap().close(outcome(200)).await.unwrap();
    let found = verified(&path);
    assert_eq!(found.records, 4);
    let furthest = crate::SetBack { seq: 3, by: jiff::SignedDuration::from_secs(900) };
    assert_eq!(found.set_back, Some(furthest));
}

#[tokio::test]
async fn records_that_waited_together_are_no_sign_of_a_clock_that_was_set_back() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = Log::open(&path).unwrap();
    for second in [100, 41, 99, 40] {
        let at = jiff::Timestamp::from_second(second).unwrap();
        log.close(Record { at, ..outcome(200) }).await.unwrap();
    }
    assert_eq!(verified(&path).set_back, None);
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    faults.hang(true);
    let mut writers: Vec<_> = (0..40).map(|_| Box::pin(log.close(huge()))).collect();
    // All of them come while the disk is busy with the first.
    let refused = runtime.block_on(async {
        let mut refused = 0;
        for writer in &mut writers {
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(writer.as_mut().poll(cx))).await;
            refused += usize::from(matches!(polled, std::task::Poll::Ready(Err(Error::Busy { .. }))));
        }
        refused
    });
    assert!((1..40).contains(&refused), "what waits has a bound, too: {refused}");
    faults.hang(false);
    for writer in writers.drain(..40 - refused) {
        runtime.block_on(writer).unwrap();
    }
    assert!(faults.most.load(Relaxed) < crate::tail::BATCH + (2 << 20), "{faults:?}");
    assert_eq!(verified(&path).records, 40 - refused as u64);
}

#[tokio::test]
async fn intents_that_a_full_disk_leaves_open_are_closed_once_there_is_room_and_before_anything_else() {
    let _process = PROCESS.write().await;
    let Some(disk) = Disk::mount() else {
        println!("skipped: only root may mount a small disk");
        return;
    };
    let (path, ballast) = (disk.0.path().join("audit.log"), disk.0.path().join("ballast"));
    let log = Log::open(&path).unwrap();
    for id in 0..30 {
        log.intend(intent(id)).await.unwrap();
    }
    drop(log);
    assert!(std::fs::write(&ballast, vec![0; 64 << 10]).is_err(), "the disk is full");
    let log = Log::open(&path).unwrap();
    assert_eq!((log.recovered().unknown, log.recovered().waiting), (30, 30));
    assert_eq!(kind(log.probe().await), io::ErrorKind::StorageFull);
    assert_eq!(kind(log.intend(intent(77)).await.map(drop)), io::ErrorKind::StorageFull);
    std::fs::remove_file(&ballast).unwrap();
    log.probe().await.unwrap();
    assert_eq!(verified(&path).records, 60);
    drop(log);
    assert_eq!(Log::open(&path).unwrap().recovered(), Recovered::default());
}

mod observer;
mod segments;
