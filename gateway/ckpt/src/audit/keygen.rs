use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use gateway_audit::SigningKey;

use crate::exit::Exit;
use crate::output::print;

/// Arguments of `audit keygen`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// Where the private key is to be written: nothing may be there.
    file: PathBuf,
}

const AFTER: &str = "\
Writes a new Ed25519 key as PEM (PKCS #8, mode 0600) for `audit.key-file`, and prints the public key. Keep that where those who \
verify the log trust it, which is not on the node.

Exit status: 0 where it was made, 1 where not.";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let public = SigningKey::generate(&options.file)
        .with_context(|| format!("cannot make the key `{}`", options.file.display()))?;
    print(public.pem().trim_end());
    Ok(Exit::Success)
}
