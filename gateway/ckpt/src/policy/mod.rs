//! The commands for authors of policies.

mod ask;
mod bench;
mod build;
mod cargo;
mod check;
mod componentize;
mod inspect;
mod kind;
mod lock;
mod new;
mod readable;
mod sdk;

use clap::{Args, Subcommand};

use crate::exit::Exit;

/// Arguments of `policy`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
A policy is a WebAssembly component that implements the contract in wit/. In Rust:
  ckpt policy new no-fridays      creates a crate that denies everything
  ckpt policy build no-fridays    writes no-fridays/no-fridays.wasm

The compiler needs its target once:
  rustup target add wasm32-unknown-unknown";

#[derive(Subcommand)]
enum Command {
    /// Create a policy: a Rust crate that denies everything until its author changes it.
    New(new::Options),
    /// Build components from the crates of policies.
    Build(build::Options),
    /// Run the fixtures of policies.
    Test(check::Options),
    /// Show a component's kind, contract, imports, digest and settings.
    Inspect(inspect::Options),
    /// Call a policy with one request.
    Run(ask::Options),
    /// Measure the time and memory of a policy.
    Bench(bench::Options),
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Command::New(options) => new::run(options),
        Command::Build(options) => build::run(options),
        Command::Test(options) => check::run(options),
        Command::Inspect(options) => inspect::run(options),
        Command::Run(options) => ask::run(options),
        Command::Bench(options) => bench::run(options),
    }
}
