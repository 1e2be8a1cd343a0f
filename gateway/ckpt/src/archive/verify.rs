//! `archive verify`: checks an archive against its digest and metadata, and its structure.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use gateway_core::{Checkpoint, Finding};
use serde_json::{Value, json};

use super::file::open;
use super::{findings, sidecar};
use crate::digest;
use crate::exit::Exit;
use crate::output::{Format, print, print_exact};
use crate::progress::ProgressReader;
use crate::style::{BAD, GOOD, styled};

/// Arguments of `archive verify`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The archive.
    file: PathBuf,
    /// The expected digest, from a source that you trust more than the files beside the archive.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
Checks:
  digest     SHA-256 is the one in FILE.json, in FILE.sha256 and in --sha256, as far as they are given
  size       the size in bytes is the one in FILE.json
  structure  the file is a complete tar archive
  original   the original that FILE.json names has its size and digest
  contents   nothing is missing that a restore needs, nothing contradicts itself, and all documents name the same container,
             the one in FILE.json; findings that are no reason to refuse the archive are listed as notes

Without FILE.json, FILE.sha256 and --sha256 the check of the digest fails, since there is nothing to compare with. A person \
who can change FILE can change the files beside it, too: the audit log also has the digest of each checkpoint.

Examples:
  ckpt archive verify checkpoint.tar
  ckpt archive verify checkpoint.tar --sha256 \"$(jq -r .sha256 outcome.json)\"

Exit status:
  0  all checks hold
  1  a check does not hold, or the archive cannot be read
  2  wrong usage";

/// A check and its result.
struct Check {
    name: &'static str,
    result: Result<()>,
}

pub(super) fn run(options: &Options) -> Result<Exit> {
    let (file, size) = open(&options.file)?;
    let read = || format!("cannot read `{}`", options.file.display());
    let mut archive = ProgressReader::new(file, "verifying", size, options.output);
    let (bytes, sha256) = digest::of(&mut archive).with_context(read)?;
    let metadata = sidecar::metadata(&options.file);
    let known = metadata.as_ref().ok().and_then(Option::as_ref);
    let structure = gateway_redact::verify(&mut archive, known.map(sidecar::owner));
    drop(archive);
    let check = |name, result| Check { name, result };
    let complete = structure.as_ref().map(drop);
    let checks = [
        check("digest", check_digest(options, &metadata, &sha256)),
        check("size", check_size(known, bytes)),
        check("structure", complete.map_err(|error| anyhow!("{error}"))),
        check("original", check_original(&options.file, known)),
        check("contents", check_contents(structure.as_ref().ok())),
    ];
    let holds = checks.iter().all(|check| check.result.is_ok());
    let findings = structure.map(|structure| structure.findings);
    show(
        options,
        &checks,
        &findings.unwrap_or_default(),
        holds,
        &sha256,
    );
    Ok(if holds { Exit::Success } else { Exit::Failure })
}

fn check_digest(
    options: &Options,
    metadata: &Result<Option<Checkpoint>>,
    sha256: &str,
) -> Result<()> {
    let metadata = match metadata {
        Err(error) => bail!("{error:#}"),
        Ok(metadata) => metadata.as_ref().map(|metadata| metadata.sha256.clone()),
    };
    let beside = sidecar::digest(&options.file)?;
    let expected = [
        ("the metadata", metadata),
        ("the .sha256 file", beside),
        ("--sha256", options.sha256.clone()),
    ];
    ensure!(
        expected.iter().any(|(_, digest)| digest.is_some()),
        "nothing to compare with: there is neither `{}` nor `{}`; give --sha256",
        sidecar::metadata_path(&options.file).display(),
        sidecar::digest_path(&options.file).display()
    );
    for (source, digest) in expected {
        if let Some(digest) = digest {
            ensure!(
                digest.eq_ignore_ascii_case(sha256),
                "{source} says {digest}, the file has {sha256}"
            );
        }
    }
    Ok(())
}

fn check_size(metadata: Option<&Checkpoint>, bytes: u64) -> Result<()> {
    let expected = metadata.map_or(bytes, |metadata| metadata.bytes);
    ensure!(
        expected == bytes,
        "the metadata says {expected} bytes, the file has {bytes}"
    );
    Ok(())
}

/// The original lies beside the archive, under the name in the metadata.
fn check_original(archive: &Path, metadata: Option<&Checkpoint>) -> Result<()> {
    let Some(original) = metadata.and_then(|metadata| metadata.original.as_ref()) else {
        return Ok(());
    };
    let name = original.path.file_name();
    let path = archive.with_file_name(name.context("the metadata does not name the file")?);
    let read = || format!("cannot read `{}`", path.display());
    let mut file = File::open(&path).with_context(read)?;
    let (bytes, sha256) = digest::of(&mut file).with_context(read)?;
    ensure!(
        original.bytes == bytes,
        "the metadata says {} bytes, the file has {bytes}",
        original.bytes
    );
    ensure!(
        original.sha256 == sha256,
        "the metadata says {}, the file has {sha256}",
        original.sha256
    );
    Ok(())
}

fn check_contents(structure: Option<&gateway_redact::Structure>) -> Result<()> {
    let structure = structure.context("not checked, since the structure is broken")?;
    let fatal = structure
        .findings
        .iter()
        .filter(|finding| finding.is_fatal());
    match fatal.count() {
        0 => Ok(()),
        1 => bail!("1 finding is fatal"),
        many => bail!("{many} findings are fatal"),
    }
}

fn show(options: &Options, checks: &[Check], findings: &[Finding], holds: bool, sha256: &str) {
    let name = options.file.display();
    match options.output {
        Format::Json => {
            let checks: Vec<_> = checks.iter().map(Check::to_json).collect();
            print_exact(
                json!({ "archive": name.to_string(), "ok": holds, "sha256": sha256, "checks": checks, "findings": findings }),
            );
        }
        Format::Text => {
            let verdict = if holds { "holds" } else { "does not hold" };
            print(format_args!("{name}: {verdict}"));
            checks.iter().for_each(Check::print);
            findings::print_all(findings);
        }
    }
}

impl Check {
    fn print(&self) {
        let (name, ok, fail) = (self.name, styled(GOOD, "ok"), styled(BAD, "FAIL"));
        match &self.result {
            Ok(()) => print(format_args!("  {ok}    {name}")),
            Err(error) => print(format_args!("  {fail}  {name}: {error:#}")),
        }
    }

    fn to_json(&self) -> Value {
        let why = self.result.as_ref().err().map(|error| format!("{error:#}"));
        json!({ "what": self.name, "ok": self.result.is_ok(), "why": why })
    }
}
