use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::Output;
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `archive unseal`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The sealed original (`.tar.age`).
    file: PathBuf,
    /// Where to write what was sealed; must not exist.
    out: PathBuf,
    /// The file with the identity that opens it, as `age-keygen` writes it.
    #[arg(long, short, value_name = "FILE")]
    identity: PathBuf,
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
What comes out is the archive as the runtime wrote it, with every secret in it; it is written for its owner alone (0600), \
and only if every byte of the seal holds: a wrong key, a cut or a changed file leave nothing behind.

Exit status: 0 where it was opened, 1 where not.";

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
        Output::Text => print(format_args!(
            "{}: {bytes} bytes, with every secret in them",
            out.display()
        )),
        Output::Json => print(json!({ "file": file, "out": out, "bytes": bytes })),
    }
    Ok(Exit::Success)
}
