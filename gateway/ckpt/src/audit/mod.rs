//! The commands for those who have an audit log: without a gateway, on any machine.

mod candidate;
mod check_proof;
mod explain;
mod export;
mod facts;
mod filter;
mod head;
mod keygen;
mod prove;
mod records;
mod replay;
mod sentences;
mod show;
mod stats;
mod table;
mod tally;
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
The audit log has one JSON object a line: the intent of a permitted checkpoint, which is durable before \
the runtime is touched, and an outcome, whatever happened. Each line names its place (`seq`) and the \
SHA-256 of the line before it (`prev`); all of them are the leaves of a Merkle tree, whose root is signed again and \
again where the gateway has a key.

  ckpt audit show FILE --user alice --verdict deny    what was alice refused?
  ckpt audit explain ID FILE           why was that allowed or denied, and what came of it?
  ckpt audit replay FILE --policies NEW    what would other policies have decided?
  ckpt audit export FILE --format ocsf    for others' tools
  ckpt audit stats FILE                how often, by whom, how long
  ckpt audit keygen audit.key                    make such a key
  ckpt audit verify FILE --key PUBLIC.pem        was a line changed, removed, added or moved?
  ckpt audit head FILE > head.json               keep this elsewhere:
  ckpt audit verify FILE --head head.json        is all there that was there at that time?
  ckpt audit prove ID FILE > proof.json          prove one record
  ckpt audit check-proof proof.json --key PUBLIC.pem    to somebody who has no log

`audit COMMAND --help` says more.";

#[derive(Subcommand)]
enum Command {
    /// Show records, those that fit.
    Show(show::Options),
    /// Say in sentences why a request was allowed or denied, and what came of it.
    Explain(explain::Options),
    /// Ask other policies about the requests of a log, and show what they would have decided otherwise.
    Replay(replay::Options),
    /// Print outcomes as events of Kubernetes' audit log or of OCSF.
    Export(export::Options),
    /// Count records by action, verdict, code, policy and user.
    Stats(stats::Options),
    /// Check an audit log, and name the first bad line.
    Verify(verify::Options),
    /// Print the last signed head, to be kept elsewhere.
    Head(head::Options),
    /// Prove that a record is in the log.
    Prove(prove::Options),
    /// Check such a proof, without the log.
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
