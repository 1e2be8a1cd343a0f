//! `archive redact`: writes a redacted copy of an archive, with its digest and metadata beside it.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::{Args, ValueEnum};
use gateway_core::{Checkpoint, OpaqueRule, RedactionSummary};
use gateway_files::NewFile;
use gateway_redact::{
    CommonValues, EnvValue, PathMode, Redacted, Redaction, RedactionSettings, redact_file,
};
use serde_json::json;

use super::file::{expect_free, open};
use super::row::row;
use super::summary::print_summary;
use super::{findings, plan, sidecar};
use crate::digest;
use crate::exit::Exit;
use crate::output::{Format, print, print_exact};
use crate::progress::ProgressReader;

/// Arguments of `archive redact`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The redaction plan as JSON, or the output of `ckpt policy run`.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// A variable that the archive may no longer name, and the file with its value. Can be repeated.
    #[arg(long, value_name = "NAME=FILE", value_parser = variable)]
    env: Vec<(String, PathBuf)>,
    /// What happens to contents that cannot be searched: `drop` leaves files of archives inside out and refuses other members,
    /// `refuse` refuses all, `keep` keeps all.
    #[arg(long, value_name = "RULE", default_value = "drop", value_parser = opaque)]
    opaque: OpaqueRule,
    /// A secret in the name of a file, a mount or a socket: mask it, or keep it in paths only.
    #[arg(long, value_enum, default_value_t)]
    paths: PathChoice,
    /// Where values of variables are masked that cannot be told from ordinary text: numbers, paths, usual words.
    #[arg(long, value_enum, value_name = "WHERE", default_value_t)]
    common_values: Where,
    /// The archive to read. It is not changed.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The redacted archive to write. It must not exist.
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Where common values are masked.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Where {
    /// Where the variable itself stands, and as NAME=value.
    #[default]
    Variable,
    /// Wherever they occur.
    Everywhere,
}

impl From<Where> for CommonValues {
    fn from(common: Where) -> Self {
        match common {
            Where::Variable => Self::Variable,
            Where::Everywhere => Self::Everywhere,
        }
    }
}

const AFTER: &str = "\
Redacts as the gateway does while an archive streams in. OUT is private (0600) and appears whole or, on an error, not at \
all. OUT.sha256 gets its digest; where IN.json is the metadata of IN, OUT.json gets that of OUT. `ckpt archive verify OUT` \
checks OUT against them. The lengths in CRIU's images do not change, so OUT can be restored as IN can.

A plan lists what to mask, in which places, and which members to remove:
  {
    \"mask\": [
      { \"name\": \"keys\", \"pattern\": { \"env-value\": \"*_KEY\" },
        \"places\": [\"spec\", \"memory\", \"logs\", \"files\"] },
      { \"name\": \"tokens\", \"pattern\": { \"detector\": \"jwt\" }, \"places\": [\"memory\"] },
      { \"name\": \"mail\", \"pattern\": { \"regex\": \"[a-z]+@shop[.]example\" }, \"places\": [\"logs\"] }
    ],
    \"drop\": [{ \"name\": \"log\", \"entry\": \"container.log\" }]
  }
The values of variables are read from the archive itself. --env adds values that the archive does not name any more.

Examples:
  ckpt policy run policies/redact-secrets/redact-secrets.wasm > plan.json
  ckpt archive redact --plan plan.json checkpoint.tar redacted.tar
  ckpt archive verify redacted.tar

Exit status:
  0  success
  1  the plan cannot be applied, or a file cannot be read or written
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let values = options.env.iter().map(|(name, path)| value(name, path));
    let redaction = Redaction {
        plan: plan::read(&options.plan)?,
        values: values.collect::<Result<_>>()?,
        settings: RedactionSettings {
            opaque: options.opaque,
            paths: options.paths.mode(),
            common_values: options.common_values.into(),
            ..RedactionSettings::default()
        },
        ..Redaction::default()
    };
    let out = &options.out;
    let sidecars = [sidecar::digest_path(out), sidecar::metadata_path(out)];
    expect_free(out)?;
    sidecars.iter().try_for_each(|path| expect_free(path))?;
    let (file, bytes) = open(&options.input)?;
    let metadata = sidecar::metadata(&options.input)?.filter(|metadata| metadata.bytes == bytes);

    let new = NewFile::create(out)?;
    let write = || format!("cannot write `{}`", out.display());
    let mut redacted = new.file().try_clone().with_context(write)?;
    let folder = gateway_files::parent(out).to_path_buf();
    let mut scratch = || tempfile::tempfile_in(&folder);
    let mut input = ProgressReader::new(file, "redacting", bytes, options.output);
    let result = redact_file(redaction, &mut input, &mut redacted, &mut scratch)
        .with_context(|| format!("cannot redact `{}`", options.input.display()))?;
    drop(input);
    let (bytes, sha256) = hash(&mut redacted, options.output).with_context(write)?;

    let archive = RedactedArchive {
        out,
        bytes,
        sha256,
        result,
    };
    archive.publish(new, metadata)?;
    archive.print(options.output);
    Ok(Exit::Success)
}

/// The length and digest of a whole file.
fn hash(file: &mut File, format: Format) -> std::io::Result<(u64, String)> {
    file.rewind()?;
    let bytes = file.metadata()?.len();
    digest::of(&mut ProgressReader::new(file, "hashing", bytes, format))
}

/// What happens to a secret in a path.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum PathChoice {
    /// It is masked: what is open, mapped or mounted there does not restore.
    #[default]
    Mask,
    /// It stays, in paths only.
    Keep,
}

impl PathChoice {
    fn mode(self) -> PathMode {
        match self {
            Self::Mask => PathMode::Mask,
            Self::Keep => PathMode::Keep,
        }
    }
}

/// A redacted archive that is whole.
struct RedactedArchive<'a> {
    out: &'a Path,
    bytes: u64,
    sha256: String,
    result: Redacted,
}

impl RedactedArchive<'_> {
    /// Names the archive and the files beside it. The archive comes first: its digest without it would be misleading.
    fn publish(&self, archive: NewFile, metadata: Option<Checkpoint>) -> Result<()> {
        let text = sidecar::digest_text(self.out, &self.sha256);
        let mut files = vec![filled(&sidecar::digest_path(self.out), text.as_bytes())?];
        if let Some(metadata) = metadata {
            let text = serde_json::to_vec_pretty(&self.describe(metadata)?)?;
            files.push(filled(&sidecar::metadata_path(self.out), &text)?);
        }
        archive.publish()?;
        for file in files {
            if let Err(error) = file.publish() {
                let removed = gateway_files::remove(self.out);
                return removed.and(Err(error)).map_err(Into::into);
            }
        }
        Ok(())
    }

    /// The metadata of the archive that was redacted, changed to that of this one.
    fn describe(&self, metadata: Checkpoint) -> Result<Checkpoint> {
        let summary = self.result.summary.clone();
        Ok(Checkpoint {
            path: std::path::absolute(self.out)?,
            bytes: self.bytes,
            sha256: self.sha256.clone(),
            redaction: Some(match metadata.redaction {
                Some(earlier) => both(earlier, summary),
                None => summary,
            }),
            findings: [metadata.findings.as_slice(), &self.result.findings].concat(),
            original: None,
            hold: None,
            ..metadata
        })
    }

    fn print(&self, format: Format) {
        let out = self.out.display().to_string();
        match format {
            Format::Json => print_exact(json!({
                "archive": out, "bytes": self.bytes, "sha256": self.sha256, "redaction": self.result.summary,
                "findings": self.result.findings,
            })),
            Format::Text => {
                print(format_args!("{out}: {} bytes", self.bytes));
                row("sha256", &self.sha256);
                print_summary(&self.result.summary);
                findings::print_all(&self.result.findings);
            }
        }
    }
}

/// A new file with its content, not yet named.
fn filled(path: &Path, content: &[u8]) -> Result<NewFile> {
    let mut file = NewFile::create(path)?;
    file.write_all(content)
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(file)
}

/// The summary of two redactions, one after the other.
fn both(mut earlier: RedactionSummary, later: RedactionSummary) -> RedactionSummary {
    earlier.rules.extend(later.rules);
    earlier.dropped.extend(later.dropped);
    earlier.unreadable.extend(later.unreadable);
    earlier.opaque.contents.extend(later.opaque.contents);
    earlier.opaque.kept_bytes = later.opaque.kept_bytes;
    let dropped = &mut earlier.opaque.dropped_bytes;
    *dropped = dropped.saturating_add(later.opaque.dropped_bytes);
    let not_named = &mut earlier.opaque.not_named;
    *not_named = not_named.saturating_add(later.opaque.not_named);
    earlier.common_values.extend(later.common_values);
    earlier.common_values.sort();
    earlier.common_values.dedup();
    RedactionSummary {
        values_hidden: earlier.values_hidden.saturating_add(later.values_hidden),
        values_too_short: earlier
            .values_too_short
            .saturating_add(later.values_too_short),
        credentials: later.credentials.or(earlier.credentials.take()),
        passes: earlier.passes.saturating_add(later.passes),
        ..earlier
    }
}

fn opaque(text: &str) -> Result<OpaqueRule> {
    serde_json::from_value(json!(text)).map_err(|_| anyhow!("expected drop, refuse or keep"))
}

fn variable(text: &str) -> Result<(String, PathBuf)> {
    let (name, path) = text
        .split_once('=')
        .ok_or_else(|| anyhow!("expected NAME=FILE"))?;
    Ok((name.to_owned(), path.into()))
}

/// A variable's value from a file, without the newline that editors add.
fn value(name: &str, path: &Path) -> Result<EnvValue> {
    let mut value =
        std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    if value.last() == Some(&b'\n') {
        value.pop();
    }
    Ok(EnvValue {
        name: name.to_owned(),
        value,
    })
}
