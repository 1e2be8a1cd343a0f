//! Tests of a process that is killed while it writes.

use std::io::BufRead as _;
use std::process::Command;

use super::*;

/// Where the process writes that is to be killed.
const KILLED: &str = "GATEWAY_AUDIT_KILLED";

#[tokio::test]
#[ignore = "the process that the next test kills"]
async fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(KILLED) else {
        return;
    };
    let log = Log::open(Path::new(&path)).unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let log = log.clone();
        writers.spawn(async move {
            loop {
                log.write(outcome(writer)).await.unwrap();
                println!("durable");
            }
        });
    }
    writers.join_all().await;
}

#[test]
fn killed_process_loses_no_durable_record() {
    let _process = PROCESS.blocking_write();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let mut durable = 0;
    for round in 0..20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "log::tests::killed::writes_until_it_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(KILLED, &path)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = io::BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
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
