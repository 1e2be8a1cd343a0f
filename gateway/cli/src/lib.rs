//! The command line of checkpoint-gateway: what its commands do, and the throw-away credentials of the demo.

#![forbid(unsafe_code)]

mod archive;
mod audit;
mod check;
mod demo;
mod digest;
mod openapi;
mod paint;
mod panics;
pub mod pki;
mod policy;
mod serve;
mod size;
mod terminal;

#[doc(hidden)]
pub use panics::keep_secrets;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A gate in front of container checkpoints: who asks is proven, whether they may is decided, what they take is hashed,
/// stored and traced.
#[derive(Parser)]
#[command(name = "checkpoint-gateway", version, arg_required_else_help = true, after_help = AFTER)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
Exit status: 0 success; 1 failure; 2 wrong usage, or a replay that differs; 3 the configuration is wrong; 4 stopped while checkpoints still ran

Start here:
  checkpoint-gateway demo                      see it work, with nothing to install
  checkpoint-gateway check --config FILE       find mistakes before a start does
  checkpoint-gateway serve --config FILE       run it beside containerd or CRI-O
  checkpoint-gateway archive inspect FILE      see what is in a checkpoint
  checkpoint-gateway audit explain ID FILE     see why a request was allowed or denied
  checkpoint-gateway audit verify FILE         see whether somebody has changed an audit log";

#[derive(Subcommand)]
enum Command {
    /// Serve requests until SIGTERM or SIGINT.
    Serve(serve::Options),
    /// Say what is wrong with a configuration, with line and column.
    Check(check::Options),
    /// See it work, with nothing to install: a pod, a gate, an allowed request and a denied one.
    Demo(demo::Options),
    /// Write policies: begin one, build it.
    Policy(policy::Options),
    /// Look into archives, redact them, verify them, make images of them.
    Archive(archive::Options),
    /// Look into an audit log, ask why, replay it, and check that nobody has changed it.
    Audit(audit::Options),
    /// Print the description of the HTTP interface (OpenAPI 3.1), for makers of clients.
    Openapi(openapi::Options),
    /// What runs in the demo's container.
    #[command(hide = true)]
    Workload,
}

/// How the program ends, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Success = 0,
    Failure = 1,
    Different = 2,
    Misconfigured = 3,
    CutShort = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Runs the command that the process was called with.
pub fn main() -> ExitCode {
    keep_secrets();
    let ended = match Arguments::parse().command {
        Command::Serve(options) => serve::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Policy(options) => policy::run(&options),
        Command::Archive(options) => archive::run(&options),
        Command::Audit(options) => audit::run(&options),
        Command::Openapi(options) => openapi::run(&options),
        Command::Workload => demo::workload(),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => {
            tell(format_args!("error: {error:#}"));
            if error.is::<gateway_server::config::Mistake>() {
                Exit::Misconfigured
            } else {
                Exit::Failure
            }
            .into()
        }
    }
}

/// One line for a person.
#[expect(clippy::print_stderr, reason = "what a person sees at the terminal")]
fn tell(line: impl std::fmt::Display) {
    eprintln!("{line}");
}

/// One line of a command's result. Whoever reads no further, such as `head`, has had enough: that is no failure.
fn print(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
