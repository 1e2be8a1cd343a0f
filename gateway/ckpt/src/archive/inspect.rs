//! `archive inspect`: lists what an archive contains.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::file::open;
use super::{show, sidecar};
use crate::exit::Exit;
use crate::output::{Format, print_exact};
use crate::progress::ProgressReader;

/// Arguments of `archive inspect`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The archive.
    file: PathBuf,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
Prints the pod, the container and its image, CRIU's statistics of the dump, the processes with their command lines, programs, \
folders, open files and sockets, the names of environment variables (never their values), mounts, annotations, sizes and \
members. The metadata file beside the archive (FILE.json) adds who took the checkpoint, when and why, and the redaction rules \
that hid something. Nothing is unpacked. Bytes in sockets and pipes are never printed.

In command lines, annotations, paths and names of sockets everything is masked that a detector takes for a secret, and the \
values of the container's variables whose names suggest secrets. Another password, such as one that was passed as a plain \
argument, is printed unless a redaction has masked it.

With --output json: { archive, inspection, metadata, metadata_problem }. `inspection.unreadable` lists members that are not \
what their names say. `inspection.truncated` is true where lists were cut short. `inspection.findings` lists what the archive lacks, what \
contradicts itself and what a restore needs to know; `archive verify` fails on those that are fatal.

Examples:
  ckpt archive inspect checkpoint.tar
  ckpt archive inspect checkpoint.tar --output json | jq '.inspection.processes[].arguments'
  ckpt archive inspect checkpoint.tar --output json | jq '.inspection.processes[].sockets[] | select(.state == \"listening\").local'
  ckpt archive inspect checkpoint.tar --output json | jq '.inspection.statistics.frozen_us'

Exit status:
  0  success
  1  the file is not an archive, or it cannot be read
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let (file, bytes) = open(&options.file)?;
    let name = options.file.display().to_string();
    let mut archive = ProgressReader::new(file, "reading", bytes, options.output);
    let metadata = sidecar::metadata(&options.file);
    let known = metadata.as_ref().ok().and_then(Option::as_ref);
    let inspection = gateway_redact::inspect(&mut archive, known.map(sidecar::owner))
        .with_context(|| format!("cannot inspect `{name}`"))?;
    drop(archive);
    match options.output {
        Format::Text => show::inspection(&name, &inspection, &metadata),
        Format::Json => {
            let problem = metadata.as_ref().err().map(|error| format!("{error:#}"));
            let metadata = metadata.ok().flatten();
            print_exact(json!({
                "archive": name, "inspection": inspection, "metadata": metadata, "metadata_problem": problem,
            }));
        }
    }
    Ok(Exit::Success)
}
