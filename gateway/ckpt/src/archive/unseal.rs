//! `archive unseal`: decrypts the sealed original of an archive.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use crate::exit::Exit;
use crate::output::{Format, print, print_exact};

/// Arguments of `archive unseal`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The sealed original (`.tar.age`).
    file: PathBuf,
    /// The decrypted archive to write. It must not exist.
    out: PathBuf,
    /// The file with the private key (age identity), as `age-keygen` writes it.
    #[arg(long, short, value_name = "FILE")]
    identity: PathBuf,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
OUT is the archive as the runtime wrote it, with every secret in it. It is private (0600), and written only if the whole \
file decrypts: a wrong key, a truncated or a changed file leaves nothing behind.

Example:
  ckpt archive unseal --identity key.txt checkpoint.tar.age original.tar

Exit status:
  0  success
  1  the file cannot be decrypted with this key, or a file cannot be read or written
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let Options {
        file,
        out,
        identity,
        output,
    } = options;
    let bytes = gateway_archive::unseal_file(file, out, identity)
        .with_context(|| format!("cannot unseal `{}`", file.display()))?;
    match output {
        Format::Text => print(format_args!(
            "{}: {bytes} bytes; it contains every secret of the container",
            out.display()
        )),
        Format::Json => print_exact(json!({ "file": file, "out": out, "bytes": bytes })),
    }
    Ok(Exit::Success)
}
