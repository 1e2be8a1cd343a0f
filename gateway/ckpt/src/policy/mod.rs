//! The commands for those who write policies.

mod ask;
mod bench;
mod build;
mod cargo;
mod check;
mod componentize;
mod inspect;
mod lock;
mod new;
mod sdk;

use clap::{Args, Subcommand, ValueEnum};

use crate::exit::Exit;

/// Arguments of `policy`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
A policy is a WebAssembly component of the contract in wit/. In Rust:
  ckpt policy new no-fridays      begin a crate; it denies everything
  ckpt policy build no-fridays    no-fridays/no-fridays.wasm

The compiler needs its target, once:
  rustup target add wasm32-unknown-unknown";

#[derive(Subcommand)]
enum Command {
    /// Begin a policy: a Rust crate that denies everything until its author decides.
    New(new::Options),
    /// Make components out of policies' crates.
    Build(build::Options),
    /// Hold policies against their fixtures.
    Test(check::Options),
    /// Say what a component is: kind, contract, imports, digest, settings.
    Inspect(inspect::Options),
    /// Ask a policy about one request.
    Run(ask::Options),
    /// Measure what a policy costs a request.
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

/// What a policy is for: the world of the contract that it implements.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// May this request go on?
    #[default]
    Authorizer,
    /// What must nobody see?
    Redactor,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Authorizer => "authorizer",
            Self::Redactor => "redactor",
        })
    }
}
