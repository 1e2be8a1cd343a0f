//! What a large store costs: `cargo run --release -p gateway-archive --example catalog -- DIRECTORY [CHECKPOINTS]`. Puts so
//! many small checkpoints into an empty directory and prints how long opening it takes, a page from its middle, the newest
//! of one container, a page through a filter that finds nothing, and a reservation that a full quota refuses.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gateway_archive::{Filter, Limits, Quota, Settings, Store};
use gateway_core::{
    Checkpoint, CheckpointId, Container, RequestId, RuntimeInfo, Target, Transport,
};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let home = PathBuf::from(arguments.next().ok_or("name a directory to work in")?);
    let count: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let total = Limits {
        bytes: None,
        count: Some(count),
    };
    let settings = Settings {
        quota: Quota {
            total,
            ..Quota::default()
        },
        ..Settings::new(home.join("store"))
    };
    drop(Store::open(settings.clone())?);
    (0..count).try_for_each(|number| leave(&settings.directory, number))?;
    let (store, opened) = timed(|| Store::open(settings));
    let (store, _) = store?;
    let target = target(count / 2)?;
    let middle = CheckpointId::from(Uuid::from_u128(u128::from(count / 2)));
    let nowhere = Filter {
        namespace: Some("nowhere".to_owned()),
        ..Filter::default()
    };
    let (page, paged) = timed(|| store.list(&Filter::default(), Some(middle), 100));
    let (latest, found) = timed(|| store.latest(&target));
    let (none, filtered) = timed(|| store.list(&nowhere, None, 100));
    let (refused, refusing) = timed(|| store.reserve(&target, Some(1)));
    let right = page?.checkpoints.len() == 100
        && latest?.is_some()
        && none?.checkpoints.is_empty()
        && refused.is_err();
    let line = format!(
        "{count} checkpoints (right: {right}): open {opened:?}, page {paged:?}, newest {found:?}, filter {filtered:?}, refusal {refusing:?}\n",
    );
    io::stdout().write_all(line.as_bytes())?;
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}

/// A thousand containers take turns.
fn target(number: u64) -> Result<Target, Failure> {
    Ok(Target::new(
        "shop",
        &format!("cart-{}", number % 1000),
        "app",
    )?)
}

fn leave(directory: &Path, number: u64) -> Result<(), Failure> {
    let text = String::new;
    let target = target(number)?;
    let path = directory.join(format!("checkpoint-{}_shop-app-{number}.tar", target.pod()));
    std::fs::write(&path, [7; 10])?;
    let checkpoint = Checkpoint {
        schema: Checkpoint::SCHEMA,
        id: CheckpointId::from(Uuid::from_u128(u128::from(number))),
        path: path.clone(),
        bytes: 10,
        sha256: "0".repeat(64),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        created_by: "alice".to_owned(),
        reason: None,
        facts: Container::named(target.clone(), "c".repeat(64)),
        masked: Vec::new(),
        target,
        container_id: "c".repeat(64),
        pod_uid: text(),
        image: text(),
        runtime: RuntimeInfo {
            name: text(),
            version: text(),
        },
        transport: Transport::Fifo,
        request_id: RequestId::from(Uuid::from_u128(u128::from(number))),
        trace_id: None,
        redaction: None,
        findings: Vec::new(),
        hidden: Vec::new(),
        original: None,
        hold: None,
    };
    std::fs::write(
        format!("{}.json", path.display()),
        serde_json::to_vec(&checkpoint)?,
    )?;
    Ok(())
}
