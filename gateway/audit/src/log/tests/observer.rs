//! Tests of the lines that an observer receives.

use Ordering::Relaxed;
use std::sync::Mutex;

use super::faulty::open_faulty;
use super::*;
use crate::Observer;

/// What was told so far.
#[derive(Debug, Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Observer for Told {
    fn durable(&self, lines: &[u8]) {
        assert!(lines.ends_with(b"\n"), "lines are told whole");
        self.0.lock().unwrap().extend_from_slice(lines);
    }
}

impl Told {
    fn take(&self) -> Vec<Vec<u8>> {
        let text = std::mem::take(&mut *self.0.lock().unwrap());
        text.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect()
    }

    fn settings(&self) -> Settings {
        Settings {
            observer: Some(Box::new(self.clone())),
            ..Settings::default()
        }
    }
}

fn written(path: &Path) -> Vec<Vec<u8>> {
    crate::read(path)
        .unwrap()
        .map(|entry| entry.unwrap().line)
        .collect()
}

#[tokio::test]
async fn observer_gets_every_line_once() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let signing = signing(dir.path(), "a.key", None);
    let told = Told::default();
    let settings = Settings {
        segment_bytes: 4000,
        signing: Some(signing),
        ..told.settings()
    };
    let log = Log::open_with(&path, settings).unwrap();
    for status in 0..40 {
        log.write(outcome(status)).await.unwrap();
    }
    log.sign_head().await.unwrap();
    assert!(verified(&path).files.len() > 2, "several files were begun");
    assert_eq!(told.take(), written(&path));
}

#[tokio::test]
async fn observer_gets_no_lines_of_an_earlier_run() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    Log::open(&path)
        .unwrap()
        .write_intent(intent(7))
        .await
        .unwrap();
    let told = Told::default();
    let log = Log::open_with(&path, told.settings()).unwrap();
    assert_eq!(log.recovered().unknown_outcomes, 1);
    assert_eq!(told.take(), written(&path)[1..]);
}

#[tokio::test]
async fn observer_gets_no_lines_that_were_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let told = Told::default();
    let (log, faults) = open_faulty(&path, told.settings());
    log.write(outcome(200)).await.unwrap();
    faults.full.store(true, Relaxed);
    log.write(outcome(500)).await.unwrap_err();
    faults.full.store(false, Relaxed);
    log.write(outcome(403)).await.unwrap();
    let told = told.take();
    assert_eq!((told.len(), &told), (2, &written(&path)));
}
