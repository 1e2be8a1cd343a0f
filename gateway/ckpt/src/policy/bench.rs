use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use super::ask::{ask, engine, load, object, request_of};
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `policy bench`.
#[derive(Args)]
pub(super) struct Options {
    /// The component.
    file: PathBuf,
    /// The settings as JSON.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A request as JSON, laid over a harmless default.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// How many times it is asked.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    calls: u32,
    /// Give it a WASI with nothing behind it, as `wasi = "empty"` in the configuration does.
    #[arg(long)]
    wasi: bool,
}

/// Measures what the gateway does for every request: a fresh instance, the call, the checks of the answer.
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
    let begun = Instant::now();
    let policy = load(&engine()?, &options.file, settings, options.wasi)?;
    let loaded = begun.elapsed();
    let mut times = Vec::new();
    let mut memory = 0;
    for _ in 0..options.calls {
        let asked = ask(&policy, &request);
        asked.answer?;
        times.push(asked.usage.time);
        memory = memory.max(asked.usage.memory);
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
        "load    {loaded:.2?} (read, configured, compiled)"
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
