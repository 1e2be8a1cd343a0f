//! The commands for those who have an audit log: without a gateway, on any machine.

mod verify;

use clap::{Args, Subcommand};

use crate::Exit;

/// Arguments of `audit`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
The audit log has one JSON object a line: the intent of a permitted checkpoint, which is durable before \
the runtime is touched, and an outcome, whatever happened. Each line names its place (`seq`) and the \
SHA-256 of the line before it (`prev`).

  checkpoint-gateway audit verify FILE               was a line changed, removed, added or moved?
  checkpoint-gateway audit verify FILE --head HEX    and is all there that was there at an earlier time?

`audit COMMAND --help` says more.";

#[derive(Subcommand)]
enum Command {
    /// Check the chain of an audit log, and name the first bad line.
    Verify(verify::Options),
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Command::Verify(options) => verify::run(options),
    }
}
