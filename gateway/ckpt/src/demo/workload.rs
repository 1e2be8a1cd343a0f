//! The process in the demo's container.

use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::exit::Exit;

/// The environment variable with the secret.
pub(super) const SECRET: &str = "PAYMENT_API_KEY";
/// The first line of its output: its memory is ready for a checkpoint.
pub(super) const READY: &str = "carts are open";
/// The size of its data in memory, in bytes.
const CARTS: usize = 4 << 20;

/// An ordinary process: a secret in its environment, a copy of it on the heap, a few MiB of data, and a line of output every
/// second. It ends when its output is closed.
pub(crate) fn run() -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .context("cannot start Tokio")?;
    runtime.block_on(tick())
}

async fn tick() -> Result<Exit> {
    let key =
        std::env::var(SECRET).context("this command is for the demo only: run `ckpt demo`")?;
    let header = format!("authorization: Bearer {key}");
    let carts: Vec<u8> = b"cart:apples=3;"
        .iter()
        .copied()
        .cycle()
        .take(CARTS)
        .collect();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut out = std::io::stdout();
    let mut line = READY.to_owned();
    for beat in 1_u64.. {
        second.tick().await;
        if writeln!(out, "{line}").is_err() {
            break;
        }
        line = format!("tick {beat}");
        black_box((&header, &carts));
    }
    Ok(Exit::Success)
}
