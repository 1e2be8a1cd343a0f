//! Tests of records whose times go back.

use super::*;

#[tokio::test]
async fn reports_a_clock_that_was_set_back() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = Log::open(&path).unwrap();
    let times = [500, 7, 900].map(|second| jiff::Timestamp::from_second(second).unwrap());
    for at in times {
        log.write(Record { at, ..outcome(200) }).await.unwrap();
    }
    assert_eq!(
        lines(&path)
            .iter()
            .map(|record| record.at)
            .collect::<Vec<_>>(),
        times
    );
    drop(log);
    Log::open(&path).unwrap().write(outcome(200)).await.unwrap();
    let found = verified(&path);
    assert_eq!(found.records, 4);
    let furthest = crate::ClockSetBack {
        seq: 3,
        by: jiff::SignedDuration::from_secs(900),
    };
    assert_eq!(found.set_back, Some(furthest));
}

#[tokio::test]
async fn reordered_records_are_not_a_clock_set_back() {
    let _process = PROCESS.read().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = Log::open(&path).unwrap();
    for second in [100, 41, 99, 40] {
        let at = jiff::Timestamp::from_second(second).unwrap();
        log.write(Record { at, ..outcome(200) }).await.unwrap();
    }
    assert_eq!(verified(&path).set_back, None);
}
