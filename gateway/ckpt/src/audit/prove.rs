//! `audit prove`: proves that a record is in the log.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use gateway_audit::Wanted;

use super::trusted::Trusted;
use crate::exit::Exit;
use crate::output::print_exact;

/// Arguments of `audit prove`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The seq of a record, or the id of a request for all its records.
    #[arg(value_parser = wanted)]
    id: Wanted,
    /// The audit log.
    file: PathBuf,
    #[command(flatten)]
    trusted: Trusted,
}

const AFTER: &str = "\
Verifies the log and prints a proof for each record, as one line of JSON: the record, its seq, the hashes from it to the root \
of the tree, and the last signed head. With the public key, `ckpt audit check-proof` checks it without the log, and so without \
showing any other record.

Example:
  ckpt audit prove 0199c1de-6c0a-7c34-b7a0-0c6b7fb8b1a5 audit.log > proof.json

Exit status:
  0  success
  1  the log does not hold, or there is no such record, or no signed head covers it yet
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let proofs =
        gateway_audit::prove(&options.file, options.id, &options.trusted.expected(None))
            .with_context(|| format!("cannot prove a record of `{}`", options.file.display()))?;
    for proof in proofs {
        print_exact(serde_json::to_string(&proof)?);
    }
    Ok(Exit::Success)
}

fn wanted(text: &str) -> Result<Wanted, String> {
    if let Ok(seq) = text.parse() {
        return Ok(Wanted::Seq(seq));
    }
    text.parse()
        .map(Wanted::Request)
        .map_err(|_| "neither a seq nor the id of a request".to_owned())
}
