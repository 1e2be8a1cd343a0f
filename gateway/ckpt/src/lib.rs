//! `ckpt`, the tool for people: `demo`, `policy`, `archive` and `audit`; and the throw-away credentials of the demo.

#![forbid(unsafe_code)]

mod archive;
mod audit;
mod demo;
mod digest;
mod exit;
mod moved;
mod output;
pub mod pki;
mod policy;
mod printable;
mod progress;
mod style;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gateway_server::telemetry::hide_panic_messages;

use exit::Exit;

/// The tool beside the daemon `checkpoint-gateway`: a demo, and commands for archives, policies and audit logs.
#[derive(Parser)]
#[command(name = "ckpt", version, arg_required_else_help = true, after_help = AFTER)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
Exit status:
  0  success
  1  failure
  2  wrong usage, or a replay that differs
  3  the configuration is wrong

Examples:
  ckpt demo                        see the gateway work, with nothing to install
  ckpt archive inspect FILE        list what a checkpoint contains
  ckpt audit explain ID FILE       show why a request was allowed or denied
  ckpt audit verify FILE           check that nobody has changed an audit log
  ckpt policy new NAME             start a policy of your own";

#[derive(Subcommand)]
enum Command {
    /// See the gateway work, with nothing to install: a pod, a gateway, an allowed request and a denied one.
    Demo(demo::Options),
    /// Write, build and test policies.
    Policy(policy::Options),
    /// Inspect, redact, verify and export archives of checkpoints.
    Archive(archive::Options),
    /// Show, explain, verify and replay an audit log.
    Audit(audit::Options),
    /// The process in the demo's container.
    #[command(hide = true)]
    Workload,
    /// Belongs to the daemon.
    #[command(hide = true)]
    Serve(moved::Arguments),
    /// Belongs to the daemon.
    #[command(hide = true)]
    Check(moved::Arguments),
    /// Belongs to the daemon.
    #[command(hide = true)]
    Openapi(moved::Arguments),
}

/// Runs the command that the process was called with.
pub fn main() -> ExitCode {
    hide_panic_messages();
    let ended = match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Policy(options) => policy::run(&options),
        Command::Archive(options) => archive::run(&options),
        Command::Audit(options) => audit::run(&options),
        Command::Workload => demo::workload(),
        Command::Serve(_) => Ok(moved::run("serve")),
        Command::Check(_) => Ok(moved::run("check")),
        Command::Openapi(_) => Ok(moved::run("openapi")),
    };
    ended
        .unwrap_or_else(|error| {
            output::print_error(format_args!("error: {error:#}"));
            Exit::of(&error)
        })
        .into()
}
