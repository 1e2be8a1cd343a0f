use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::trusted::Trusted;
use crate::exit::Exit;
use crate::output::print;

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
Verifies the log and prints its last signed head as JSON: how many records it covers, the root of their tree, the key and the \
signature. Keep it away from the node; `audit verify --head` finds later whether the log still begins with the same records.

Exit status: 0 where it was printed, 1 where the log does not hold, cannot be read or is not signed.";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let verified = gateway_audit::verify(&options.file, &options.trusted.expected(None))
        .with_context(|| format!("`{}` has no head to keep", options.file.display()))?;
    let head = verified.signed.with_context(|| {
        format!(
            "no head in `{}` is signed yet: without a key, keep what `audit verify` prints",
            options.file.display()
        )
    })?;
    print(serde_json::to_string(&head)?);
    Ok(Exit::Success)
}
