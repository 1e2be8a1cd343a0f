use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use gateway_audit::Wanted;

use super::trusted::Trusted;
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `audit prove`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The record's seq, or a request's id for all of its records.
    #[arg(value_parser = wanted)]
    id: Wanted,
    /// The audit log.
    file: PathBuf,
    #[command(flatten)]
    trusted: Trusted,
}

const AFTER: &str = "\
Verifies the log and prints, for each record, a line of JSON that proves that it is in the log: the record itself, its place, the \
hashes that lead from it to the root of the tree, and the last signed head. Whoever has the public key can check that without \
the log, and sees no other record: `audit check-proof`.

Exit status: 0 where it was proven, 1 where the log does not hold, or where there is no such record or nobody has signed it yet.";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let proofs =
        gateway_audit::prove(&options.file, options.id, &options.trusted.expected(None))
            .with_context(|| format!("cannot prove that out of `{}`", options.file.display()))?;
    for proof in proofs {
        print(serde_json::to_string(&proof)?);
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
