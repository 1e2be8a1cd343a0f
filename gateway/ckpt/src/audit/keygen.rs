//! `audit keygen`: makes a key that signs an audit log.

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
    /// The file for the private key. It must not exist.
    file: PathBuf,
}

const AFTER: &str = "\
Writes a new private Ed25519 key (PEM, PKCS #8, mode 0600) for `audit.key-file`, and prints the public key. Give the public \
key to everybody who verifies the log, and keep it on another machine than the log.

Example:
  ckpt audit keygen /etc/checkpoint-gateway/audit.key > audit.pem

Exit status:
  0  success
  1  the key cannot be written
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let public = SigningKey::generate(&options.file)
        .with_context(|| format!("cannot make the key `{}`", options.file.display()))?;
    print(public.pem().trim_end());
    Ok(Exit::Success)
}
