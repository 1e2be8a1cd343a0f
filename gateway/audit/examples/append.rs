//! Measures how many records become durable per second with one writer and with 64, and how many are verified per second.
//! The logs are chained, signed and segmented as in production.
//!
//! `cargo run --release -p gateway-audit --example append -- FOLDER`

#![expect(clippy::print_stdout, reason = "the result is for the terminal")]

use std::error::Error;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gateway_audit::{Expected, Log, Settings, Signing, SigningKey, verify};
use gateway_core::{Event, Outcome, Record};
use tokio::task::JoinSet;

/// The time of one measurement.
const TIME: Duration = Duration::from_secs(1);
/// The number of measurements of each kind, taken alternately, since the speed of a disk varies.
const ROUNDS: usize = 9;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder)?;
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let one = rate(&folder.path().join(format!("one-{round}.log")), 1).await?;
        let many = rate(&folder.path().join(format!("many-{round}.log")), 64).await?;
        println!(
            "one writer {one:>7.0} durable records/s, one fsync each; 64 writers {many:>7.0}, {:.1} times as many",
            many / one
        );
        ratios.push(many / one);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "median    : {:>7.1} times as many",
        ratios.get(ROUNDS / 2).ok_or("no round")?
    );
    let path = folder.path().join(format!("many-{}.log", ROUNDS - 1));
    let began = Instant::now();
    let verified = verify(&path, &Expected::default())?;
    let seconds = began.elapsed().as_secs_f64();
    let rate = figure(verified.records) / seconds;
    println!(
        "verify    : {rate:>9.0} records/s of {} in {} files",
        verified.records,
        verified.files.len()
    );
    Ok(())
}

async fn rate(path: &Path, writers: usize) -> Result<f64> {
    let key = path.with_extension("key");
    SigningKey::generate(&key)?;
    let key = SigningKey::read(&key)?;
    let signing = Signing {
        key: key.into(),
        previous: None,
        records: NonZeroU64::new(256).ok_or("no number")?,
    };
    let log = Log::open_with(
        path,
        Settings {
            signing: Some(signing),
            ..Settings::default()
        },
    )?;
    let began = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..writers {
        running.spawn(write(log.clone(), began));
    }
    let mut written = 0;
    while let Some(count) = running.join_next().await {
        written += count??;
    }
    Ok(figure(written) / began.elapsed().as_secs_f64())
}

async fn write(log: Log, began: Instant) -> Result<u64> {
    let mut written = 0;
    while began.elapsed() < TIME {
        log.write(record()).await?;
        written += 1;
    }
    Ok(written)
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn figure(count: u64) -> f64 {
    count as f64
}

fn record() -> Record {
    Record {
        schema: Record::SCHEMA,
        at: jiff::Timestamp::now(),
        request_id: uuid::Uuid::from_u128(7).into(),
        trace_id: None,
        event: Event::Outcome(Box::new(Outcome {
            user: Some("system:serviceaccount:shop:checkpointer".to_owned()),
            source_address: Some([127, 0, 0, 1].into()),
            status: 200,
            sha256: Some("0".repeat(64)),
            bytes: Some(1 << 30),
            duration_us: 1_000_000,
            ..Outcome::default()
        })),
    }
}
