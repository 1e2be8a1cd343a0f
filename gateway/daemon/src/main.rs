//! `checkpoint-gateway`, the daemon: `serve`, `check` and `openapi`.

#![forbid(unsafe_code)]

mod check;
mod exit;
mod moved;
mod openapi;
mod output;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gateway_server::telemetry::hide_panic_messages;

use exit::Exit;

/// A gateway in front of container checkpoints: it authenticates the caller, asks policies, redacts the archive, stores it
/// and writes an audit record.
#[derive(Parser)]
#[command(name = "checkpoint-gateway", version, arg_required_else_help = true, after_help = AFTER)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
Exit status:
  0  success
  1  failure
  2  wrong usage
  3  the configuration is wrong
  4  stopped while checkpoints were still running

Examples:
  checkpoint-gateway check --config FILE    find mistakes in a configuration before a start does
  checkpoint-gateway serve --config FILE    run beside containerd or CRI-O
  checkpoint-gateway openapi                print the description of the HTTP interface

The tool `ckpt` has the demo and the commands for archives, policies and audit logs.";

#[derive(Subcommand)]
enum Command {
    /// Serve requests until SIGTERM or SIGINT.
    Serve(serve::Options),
    /// Report mistakes in a configuration, with line and column.
    Check(check::Options),
    /// Print the description of the HTTP interface (OpenAPI 3.1), for authors of clients.
    Openapi(openapi::Options),
    /// Moved to `ckpt`.
    #[command(hide = true)]
    Demo(moved::Arguments),
    /// Moved to `ckpt`.
    #[command(hide = true)]
    Policy(moved::Arguments),
    /// Moved to `ckpt`.
    #[command(hide = true)]
    Archive(moved::Arguments),
    /// Moved to `ckpt`.
    #[command(hide = true)]
    Audit(moved::Arguments),
}

fn main() -> ExitCode {
    hide_panic_messages();
    let ended = match Arguments::parse().command {
        Command::Serve(options) => serve::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Openapi(options) => openapi::run(&options),
        Command::Demo(_) => Ok(moved::run("demo")),
        Command::Policy(_) => Ok(moved::run("policy")),
        Command::Archive(_) => Ok(moved::run("archive")),
        Command::Audit(_) => Ok(moved::run("audit")),
    };
    ended
        .unwrap_or_else(|error| {
            output::error_line(format_args!("error: {error:#}"));
            Exit::of(&error)
        })
        .into()
}
