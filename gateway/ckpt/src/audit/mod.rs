//! `ckpt audit`: commands for audit logs. They need neither a gateway nor a network.

mod candidate;
mod check_proof;
mod durations;
mod explain;
mod export;
mod filter;
mod head;
mod keygen;
mod prove;
mod record_view;
mod records;
mod replay;
mod replay_page;
mod sentences;
mod show;
mod stats;
mod suggestions;
mod tally;
mod time;
mod totals;
mod trusted;
mod verify;

use clap::{Args, Subcommand};

use crate::exit::Exit;

/// Arguments of `audit`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
An audit log has one JSON record a line. An intent is written before the runtime is called; an outcome follows when the \
request has ended. Each line has its number (`seq`) and the SHA-256 of the line before (`prev`). All lines are leaves of a \
Merkle tree; a gateway with a key signs the tree's head at intervals.

Examples:
  ckpt audit show FILE --user alice --verdict deny        list alice's denied requests
  ckpt audit explain ID FILE                              why a request was allowed or denied
  ckpt audit replay FILE --policies NEW.toml              what other policies would have decided
  ckpt audit export FILE --format ocsf                    events for other tools
  ckpt audit stats FILE                                   counts and durations
  ckpt audit keygen audit.key > audit.pem                 make a key that signs a log
  ckpt audit verify FILE --key audit.pem                  find changed, missing or added lines
  ckpt audit head FILE > head.json                        keep the signed head on another machine
  ckpt audit verify FILE --head head.json                 check that nothing was cut off since then
  ckpt audit prove ID FILE > proof.json                   prove a single record
  ckpt audit check-proof proof.json --key audit.pem       check the proof without the log

`ckpt audit COMMAND --help` explains each command.

Exit status:
  0  success
  1  failure, a check that does not hold, or no record that matches
  2  wrong usage, or a replay in which a decision differs
  3  the configuration is wrong";

#[derive(Subcommand)]
enum Command {
    /// List records that match a filter.
    Show(show::Options),
    /// Explain in sentences why a request was allowed or denied, and how it ended.
    Explain(explain::Options),
    /// Ask other policies about the requests in a log, and list decisions that differ.
    Replay(replay::Options),
    /// Print outcomes as events of Kubernetes' audit log or of OCSF.
    Export(export::Options),
    /// Count records by action, verdict, code, policy and user.
    Stats(stats::Options),
    /// Verify an audit log; name the first line that is wrong.
    Verify(verify::Options),
    /// Print the last signed head.
    Head(head::Options),
    /// Prove that a record is in the log.
    Prove(prove::Options),
    /// Check a proof without the log.
    CheckProof(check_proof::Options),
    /// Make a key that signs an audit log.
    Keygen(keygen::Options),
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Command::Show(options) => show::run(options),
        Command::Explain(options) => explain::run(options),
        Command::Replay(options) => replay::run(options),
        Command::Export(options) => export::run(options),
        Command::Stats(options) => stats::run(options),
        Command::Verify(options) => verify::run(options),
        Command::Head(options) => head::run(options),
        Command::Prove(options) => prove::run(options),
        Command::CheckProof(options) => check_proof::run(options),
        Command::Keygen(options) => keygen::run(options),
    }
}
