use std::fs::{File, Permissions};
use std::io::{self, Seek};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use gateway_core::RedactionSummary;
use gateway_redact::{EnvValue, Redaction, redact_file};
use rustix::fs::{AtFlags, CWD};
use rustix::io::Errno;
use serde_json::json;
use tempfile::NamedTempFile;

use super::progress::Progress;
use super::{Output, new_place, open, plan, show, sync};
use crate::digest;
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `archive redact`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// What to hide: a plan as JSON, or the answer of `policy run`.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// A variable whose value the archive may not name, and the file that its value is in.
    #[arg(long, value_name = "NAME=FILE", value_parser = variable)]
    env: Vec<(String, PathBuf)>,
    /// The archive.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The redacted archive. Must not be there.
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
The same code that the gateway runs while an archive streams in. IN stays as it is; OUT appears whole \
and private (0600), or not at all: on an error nothing is left of it. Lengths in CRIU's images never \
change, so OUT can be restored as IN can.

A plan says what is masked, where, and what is left out altogether:
  {
    \"mask\": [
      { \"name\": \"keys\", \"pattern\": { \"env-value\": \"*_KEY\" },
        \"places\": [\"spec\", \"memory\", \"logs\", \"files\"] },
      { \"name\": \"tokens\", \"pattern\": { \"detector\": \"jwt\" }, \"places\": [\"memory\"] },
      { \"name\": \"mail\", \"pattern\": { \"regex\": \"[a-z]+@shop[.]example\" }, \"places\": [\"logs\"] }
    ],
    \"drop\": [{ \"name\": \"log\", \"entry\": \"container.log\" }]
  }
Values of variables are learnt from the archive itself; --env adds some that it does not \
name any more.

Exit status: 0 success; 1 where the plan cannot be carried out or the archive cannot be read.

  ckpt policy run policies/redact-secrets/redact-secrets.wasm > plan.json
  ckpt archive redact --plan plan.json checkpoint.tar redacted.tar";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let redaction = Redaction {
        plan: plan::read(&options.plan)?,
        values: options
            .env
            .iter()
            .map(|(name, path)| value(name, path))
            .collect::<Result<_>>()?,
        ..Redaction::default()
    };
    let folder = new_place(&options.out)?;
    let (file, bytes) = open(&options.input)?;
    let mut input = Progress::new(file, "redacting", bytes, options.output);
    let mut scratch = || tempfile::tempfile_in(&folder);
    // Without a name, so that nothing is left of it when this is killed before all is hidden.
    let mut to = scratch().with_context(|| format!("cannot write into `{}`", folder.display()))?;
    let summary = redact_file(redaction, &mut input, &mut to, &mut scratch)
        .with_context(|| format!("cannot redact `{}`", options.input.display()))?;
    drop(input);
    let (bytes, sha256) = publish(&mut to, &folder, options)?;
    tell(options, &summary, bytes, &sha256);
    Ok(Exit::Success)
}

/// Gives the whole file its name; tells its length and digest.
fn publish(file: &mut File, folder: &Path, options: &Options) -> Result<(u64, String)> {
    let write = || format!("cannot write `{}`", options.out.display());
    file.rewind().with_context(write)?;
    let bytes = file.metadata().with_context(write)?.len();
    let mut hashed = Progress::new(&mut *file, "hashing", bytes, options.output);
    let told = digest::of(&mut hashed).with_context(write)?;
    drop(hashed);
    file.sync_all().with_context(write)?;
    name(file, folder, &options.out).with_context(write)?;
    sync(folder)?;
    Ok(told)
}

/// Gives `file` the name `out`, which must be free. Not every filesystem can name what had no name: there it is copied,
/// now that all is hidden.
fn name(file: &mut File, folder: &Path, out: &Path) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o600))?;
    let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
    match rustix::fs::linkat(CWD, nameless, CWD, out, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => return Ok(()),
        Err(Errno::EXIST) => return Err(Errno::EXIST.into()),
        Err(_) => {}
    }
    let mut copy = NamedTempFile::new_in(folder)?;
    file.rewind()?;
    io::copy(file, &mut copy)?;
    copy.as_file().sync_all()?;
    copy.persist_noclobber(out)
        .map(drop)
        .map_err(|error| error.error)
}

fn tell(options: &Options, summary: &RedactionSummary, bytes: u64, sha256: &str) {
    let out = options.out.display().to_string();
    match options.output {
        Output::Json => {
            print(
                json!({ "archive": out, "bytes": bytes, "sha256": sha256, "redaction": summary }),
            );
        }
        Output::Text => {
            print(format_args!("{out}: {bytes} bytes"));
            show::row("sha256", sha256);
            show::summary(summary);
        }
    }
}

fn variable(text: &str) -> Result<(String, PathBuf)> {
    let (name, path) = text
        .split_once('=')
        .ok_or_else(|| anyhow!("write NAME=FILE"))?;
    Ok((name.to_owned(), path.into()))
}

/// The value in a file, without the newline that editors leave.
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
