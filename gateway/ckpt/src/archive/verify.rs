use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use gateway_core::Checkpoint;
use serde_json::{Value, json};

use super::progress::Progress;
use super::{Output, beside, open};
use crate::digest;
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `archive verify`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The archive.
    file: PathBuf,
    /// The digest that it must have, from a place that is trusted more than the file beside it.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
Checks, and names what does not hold:
  digest     SHA-256 is what FILE.json or --sha256 says; with both, it must be what both say
  size       as many bytes as FILE.json says
  structure  a whole tar archive: every header and length, and nothing behind the end
  original   the original that FILE.json names, sealed or not, has its size and digest; nothing where it names none
  memory     as many pages as the page maps tell; one less would hang CRIU's restorer for ever

Where there is neither FILE.json nor --sha256, nothing says what the archive should be: that is a \
failure, too. Whoever can change FILE can change FILE.json: the audit log has the digest as well.

Exit status: 0 where all of it holds, 1 where something does not or the archive cannot be read.";

/// What was looked at, and what is wrong with it.
struct Check {
    what: &'static str,
    result: Result<()>,
}

pub(super) fn run(options: &Options) -> Result<Exit> {
    let (file, size) = open(&options.file)?;
    let read = || format!("cannot read `{}`", options.file.display());
    let mut archive = Progress::new(file, "verifying", size, options.output);
    let (bytes, sha256) = digest::of(&mut archive).with_context(read)?;
    let structure = gateway_redact::verify(&mut archive);
    drop(archive);
    let metadata = beside::metadata(&options.file);
    let checks = [
        Check {
            what: "digest",
            result: same_digest(options, metadata.as_ref(), &sha256),
        },
        Check {
            what: "size",
            result: same_size(metadata.as_ref(), bytes),
        },
        Check {
            what: "structure",
            result: structure
                .as_ref()
                .map(drop)
                .map_err(|error| anyhow!("{error}")),
        },
        Check {
            what: "original",
            result: same_original(&options.file, metadata.as_ref()),
        },
        Check {
            what: "memory",
            result: whole_memory(structure.as_ref().ok()),
        },
    ];
    let holds = checks.iter().all(|check| check.result.is_ok());
    tell(options, &checks, holds, &sha256);
    Ok(if holds { Exit::Success } else { Exit::Failure })
}

fn same_digest(options: &Options, metadata: Found<'_>, sha256: &str) -> Result<()> {
    let told = match metadata {
        Err(error) => bail!("{error:#}"),
        Ok(metadata) => metadata.as_ref().map(|metadata| &metadata.sha256),
    };
    let given = options.sha256.as_ref();
    ensure!(
        told.is_some() || given.is_some(),
        "nothing to compare with: there is no `{}`; give --sha256",
        beside::path(&options.file).display()
    );
    for (who, told) in [("the metadata", told), ("--sha256", given)] {
        let same = told.is_none_or(|told| told.eq_ignore_ascii_case(sha256));
        ensure!(
            same,
            "{who} says {}, the file has {sha256}",
            told.map(String::as_str).unwrap_or_default()
        );
    }
    Ok(())
}

fn same_size(metadata: Found<'_>, bytes: u64) -> Result<()> {
    let told = metadata
        .ok()
        .and_then(|metadata| metadata.as_ref())
        .map_or(bytes, |metadata| metadata.bytes);
    ensure!(
        told == bytes,
        "the metadata says {told} bytes, the file has {bytes}"
    );
    Ok(())
}

/// The original lies beside the archive, under the name that the metadata gives it.
fn same_original(archive: &Path, metadata: Found<'_>) -> Result<()> {
    let told = metadata
        .ok()
        .and_then(|metadata| metadata.as_ref()?.original.as_ref());
    let Some(told) = told else { return Ok(()) };
    let path = archive.with_file_name(
        told.path
            .file_name()
            .context("the metadata gives it no name")?,
    );
    let read = || format!("cannot read `{}`", path.display());
    let (bytes, sha256) =
        digest::of(&mut File::open(&path).with_context(read)?).with_context(read)?;
    ensure!(
        told.bytes == bytes,
        "the metadata says {} bytes, the file has {bytes}",
        told.bytes
    );
    ensure!(
        told.sha256 == sha256,
        "the metadata says {}, the file has {sha256}",
        told.sha256
    );
    Ok(())
}

fn whole_memory(structure: Option<&gateway_redact::Structure>) -> Result<()> {
    let Some(structure) = structure else {
        bail!("not looked at")
    };
    ensure!(
        structure.faults.is_empty(),
        "{}",
        structure.faults.join("; ")
    );
    Ok(())
}

/// Metadata, if there is any, or why it cannot be read.
type Found<'a> = Result<&'a Option<Checkpoint>, &'a anyhow::Error>;

fn tell(options: &Options, checks: &[Check], holds: bool, sha256: &str) {
    let name = options.file.display();
    match options.output {
        Output::Json => {
            let checks: Vec<_> = checks.iter().map(Check::to_json).collect();
            print(
                json!({ "archive": name.to_string(), "ok": holds, "sha256": sha256, "checks": checks }),
            );
        }
        Output::Text => {
            print(format_args!(
                "{name}: {}",
                if holds { "holds" } else { "does not hold" }
            ));
            checks.iter().for_each(Check::print);
        }
    }
}

impl Check {
    fn print(&self) {
        match &self.result {
            Ok(()) => print(format_args!("  ok    {}", self.what)),
            Err(error) => print(format_args!("  FAIL  {}: {error:#}", self.what)),
        }
    }

    fn to_json(&self) -> Value {
        let why = self.result.as_ref().err().map(|error| format!("{error:#}"));
        json!({ "what": self.what, "ok": self.result.is_ok(), "why": why })
    }
}
