//! The commands for authors of policies.

mod ask;
mod bench;
mod build;
mod cargo;
mod componentize;
mod inspect;
mod kind;
mod lock;
mod new;
mod readable;
mod sdk;
mod test;

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
A policy is a WebAssembly component that implements the contract in wit/. An authorizer decides whether a request is allowed; \
a redactor decides what a checkpoint must not contain.

Examples:
  ckpt policy new no-fridays            create a Rust crate with the SDK and a first fixture
  ckpt policy build no-fridays          compile it to no-fridays/no-fridays.wasm
  ckpt policy test no-fridays           run its fixtures against the component
  ckpt policy run no-fridays/no-fridays.wasm --request request.json
  ckpt policy bench no-fridays/no-fridays.wasm

The compiler needs its target, once:
  rustup target add wasm32-unknown-unknown

`ckpt policy COMMAND --help` explains each command.

Exit status:
  0  success
  1  failure, a fixture that does not hold, or a policy that denies
  2  wrong usage";

#[derive(Subcommand)]
enum Command {
    /// Create a policy: a Rust crate that denies everything until its author changes it.
    New(new::Options),
    /// Build components from the crates of policies.
    Build(build::Options),
    /// Run the fixtures of policies.
    Test(test::Options),
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
        Command::Test(options) => test::run(options),
        Command::Inspect(options) => inspect::run(options),
        Command::Run(options) => ask::run(options),
        Command::Bench(options) => bench::run(options),
    }
}
