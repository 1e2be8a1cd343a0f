use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::progress::Progress;
use super::{Output, beside, open, show};
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `archive inspect`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The archive.
    file: PathBuf,
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
Tells, without unpacking anything: whose archive it is, the container and its image, the processes \
with their command lines, the NAMES of environment variables (never a value), mounts, sizes and \
members; and what the metadata beside the archive (FILE.json) says of who took it, when, and what was \
hidden.

Command lines are shown as they are: a password given as an argument can be read there, unless a plan \
has hidden it.

With --output json: { archive, inspection, metadata, metadata_problem }. `inspection.unreadable` lists members that are \
not what their names say; `inspection.truncated` tells that something was too much to be told.

Exit status: 0 success; 1 where it is no archive or cannot be read.

  ckpt archive inspect FILE
  ckpt archive inspect FILE --output json | jq '.inspection.processes[].arguments'";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let (file, bytes) = open(&options.file)?;
    let name = options.file.display().to_string();
    let mut archive = Progress::new(file, "looking", bytes, options.output);
    let inspection = gateway_redact::inspect(&mut archive)
        .with_context(|| format!("cannot inspect `{name}`"))?;
    drop(archive);
    let metadata = beside::metadata(&options.file);
    match options.output {
        Output::Text => show::inspection(&name, &inspection, &metadata),
        Output::Json => {
            let problem = metadata.as_ref().err().map(|error| format!("{error:#}"));
            let metadata = metadata.ok().flatten();
            print(json!({
                "archive": name, "inspection": inspection, "metadata": metadata, "metadata_problem": problem,
            }));
        }
    }
    Ok(Exit::Success)
}
