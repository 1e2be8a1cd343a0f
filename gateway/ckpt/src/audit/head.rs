//! `audit head`: prints the last signed head of a log.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::trusted::Trusted;
use crate::exit::Exit;
use crate::output::print_exact;

/// Arguments of `audit head`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log.
    file: PathBuf,
    #[command(flatten)]
    trusted: Trusted,
}

const AFTER: &str = "\
Verifies the log and prints its last signed head as JSON: the number of records, the root of their tree, the key and the \
signature. Keep it on another machine: later, `ckpt audit verify --head` checks that the log still begins with these records.

Example:
  ckpt audit head audit.log --key audit.pem > head.json

Exit status:
  0  success
  1  the log does not hold, cannot be read or is not signed
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let verified = gateway_audit::verify(&options.file, &options.trusted.expected(None))
        .with_context(|| format!("cannot take the head of `{}`", options.file.display()))?;
    let head = verified.signed.with_context(|| {
        format!(
            "`{}` has no signed head yet; if the gateway has no key, keep the head that `audit verify` prints",
            options.file.display()
        )
    })?;
    print_exact(serde_json::to_string(&head)?);
    Ok(Exit::Success)
}
