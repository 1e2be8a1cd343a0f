//! Tests of a log on a full disk.

use std::process::Command;

use super::*;

/// A disk of 64 KiB, gone with this.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "none"])
            .arg(dir.path())
            .output();
        mount
            .is_ok_and(|output| output.status.success())
            .then_some(Self(dir))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn full_disk_refuses_records_and_recovers() {
    let _process = PROCESS.write().await;
    let Some(disk) = Disk::mount() else {
        println!("skipped: only root may mount a small disk");
        return;
    };
    let (path, ballast) = (
        disk.0.path().join("audit.log"),
        disk.0.path().join("ballast"),
    );
    std::fs::write(&ballast, vec![0; 32 << 10]).unwrap();
    let log = Log::open(&path).unwrap();
    let mut whole = 0;
    let error = loop {
        match log.write(outcome(200)).await {
            Ok(()) => whole += 1,
            Err(error) => break error,
        }
    };
    let Error::Write { source, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    assert_eq!(verified(&path).records, whole, "no half line is left");
    std::fs::remove_file(&ballast).unwrap();
    log.write(outcome(200)).await.unwrap();
    assert_eq!(verified(&path).records, whole + 1);
}

#[tokio::test]
async fn unknown_outcomes_wait_for_space_and_are_written_first() {
    let _process = PROCESS.write().await;
    let Some(disk) = Disk::mount() else {
        println!("skipped: only root may mount a small disk");
        return;
    };
    let (path, ballast) = (
        disk.0.path().join("audit.log"),
        disk.0.path().join("ballast"),
    );
    let log = Log::open(&path).unwrap();
    for id in 0..30 {
        log.write_intent(intent(id)).await.unwrap();
    }
    drop(log);
    assert!(
        std::fs::write(&ballast, vec![0; 64 << 10]).is_err(),
        "the disk is full"
    );
    let log = Log::open(&path).unwrap();
    assert_eq!(
        (
            log.recovered().unknown_outcomes,
            log.recovered().unwritten_outcomes
        ),
        (30, 30)
    );
    assert_eq!(
        write_error_kind(log.check_writable().await),
        io::ErrorKind::StorageFull
    );
    assert_eq!(
        write_error_kind(log.write_intent(intent(77)).await.map(drop)),
        io::ErrorKind::StorageFull
    );
    std::fs::remove_file(&ballast).unwrap();
    log.check_writable().await.unwrap();
    assert_eq!(verified(&path).records, 60);
    drop(log);
    assert_eq!(Log::open(&path).unwrap().recovered(), Recovered::default());
}
