//! `ckpt policy bench`: measures a policy.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use super::ask::{call, engine, load, object, request_of};
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `policy bench`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The component.
    file: PathBuf,
    /// The settings as JSON.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A request as JSON, which is applied to a default request.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// The number of calls.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    calls: u32,
    /// Grant an empty WASI, like `wasi = "empty"` in the configuration.
    #[arg(long)]
    wasi: bool,
}

const AFTER: &str = "\
Each call does what the gateway does for a request: a new instance, the call, and the checks of its answer.

Example:
  ckpt policy bench no-fridays.wasm --calls 10000

Exit status:
  0  success
  1  the policy cannot be loaded, or it fails
  2  wrong usage";

/// Measures the gateway's work for each request: a fresh instance, the call, and the checks of the answer.
pub(super) fn run(options: &Options) -> Result<Exit> {
    let settings = options
        .settings
        .as_deref()
        .map(object)
        .transpose()?
        .unwrap_or_default();
    let request = options
        .request
        .as_deref()
        .map(object)
        .transpose()?
        .unwrap_or_default();
    let request = request_of(&Value::Object(request))?;
    let started = Instant::now();
    let policy = load(&engine()?, &options.file, settings, options.wasi)?;
    let loaded = started.elapsed();
    let mut times = Vec::new();
    let mut memory = 0;
    for _ in 0..options.calls {
        let outcome = call(&policy, &request);
        outcome.answer?;
        times.push(outcome.usage.time);
        memory = memory.max(outcome.usage.memory);
    }
    times.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a bounded count"
        )]
        let index = (f64::from(options.calls) * share) as usize;
        times
            .get(index.min(times.len().saturating_sub(1)))
            .copied()
            .unwrap_or(Duration::ZERO)
    };
    print(format_args!(
        "load    {loaded:.2?} (read, configure, compile)"
    ));
    print(format_args!(
        "calls   {}, each in a fresh instance",
        options.calls
    ));
    print(format_args!("p50     {:.2?}", at(0.5)));
    print(format_args!("p99     {:.2?}", at(0.99)));
    print(format_args!("memory  {memory} bytes"));
    Ok(Exit::Success)
}
