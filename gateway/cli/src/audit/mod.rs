//! The commands for those who have an audit log: without a gateway, on any machine.

mod candidate;
mod explain;
mod facts;
mod filter;
mod records;
mod replay;
mod sentences;
mod show;
mod stats;
mod table;
mod tally;
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

  checkpoint-gateway audit show FILE --user alice --verdict deny    what was alice refused?
  checkpoint-gateway audit explain ID FILE           why was that allowed or denied, and what came of it?
  checkpoint-gateway audit replay FILE --policies NEW    what would other policies have decided?
  checkpoint-gateway audit stats FILE                how often, by whom, how long
  checkpoint-gateway audit verify FILE               was a line changed, removed, added or moved?
  checkpoint-gateway audit verify FILE --head HEX    and is all there that was there at an earlier time?

`audit COMMAND --help` says more.";

#[derive(Subcommand)]
enum Command {
    /// Show records, those that fit.
    Show(show::Options),
    /// Say in sentences why a request was allowed or denied, and what came of it.
    Explain(explain::Options),
    /// Ask other policies about the requests of a log, and show what they would have decided otherwise.
    Replay(replay::Options),
    /// Count records by action, verdict, code, policy and user.
    Stats(stats::Options),
    /// Check the chain of an audit log, and name the first bad line.
    Verify(verify::Options),
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Command::Show(options) => show::run(options),
        Command::Explain(options) => explain::run(options),
        Command::Replay(options) => replay::run(options),
        Command::Stats(options) => stats::run(options),
        Command::Verify(options) => verify::run(options),
    }
}
