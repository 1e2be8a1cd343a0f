//! The commands for those who have an archive: without a gateway, without a network, on any machine.

mod annotations;
mod beside;
mod export;
mod inspect;
mod layout;
mod plan;
mod progress;
mod redact;
mod show;
mod tree;
mod unseal;
mod verify;

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::{Args, Subcommand, ValueEnum};

use crate::exit::Exit;

/// Arguments of `archive`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
An archive is what a runtime writes of a container: a tar with its processes' memory, as the gateway \
or the kubelet keeps it under /var/lib/kubelet/checkpoints. Whoever holds one that is not redacted \
holds every secret of the container.

  ckpt archive inspect FILE                  what is in it, without variables' values
  ckpt archive redact --plan PLAN FILE OUT   hide what a plan says
  ckpt archive verify OUT --sha256 DIGEST    is it whole, and the one that was meant?
  ckpt archive unseal -i KEY SEALED OUT      open an original that was sealed
  ckpt archive export --oci DIR OUT          make an image that a runtime can restore

`archive COMMAND --help` says more.";

#[derive(Subcommand)]
enum Command {
    /// Tell what is in an archive: processes, names of variables, mounts, sizes.
    Inspect(inspect::Options),
    /// Write an archive anew without what a plan hides.
    Redact(redact::Options),
    /// Check an archive's digest and structure.
    Verify(verify::Options),
    /// Open the sealed original of an archive.
    Unseal(unseal::Options),
    /// Make an OCI image of an archive.
    Export(export::Options),
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Command::Inspect(options) => inspect::run(options),
        Command::Redact(options) => redact::run(options),
        Command::Verify(options) => verify::run(options),
        Command::Unseal(options) => unseal::run(options),
        Command::Export(options) => export::run(options),
    }
}

/// How a command says what it has to say.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Lines, for people.
    #[default]
    Text,
    /// One JSON object, for machines.
    Json,
}

/// A file that is there, and its size in bytes.
pub(crate) fn open(path: &Path) -> anyhow::Result<(File, u64)> {
    let read = || format!("cannot read `{}`", path.display());
    // Before it is opened: a FIFO would wait for a writer.
    let about = std::fs::metadata(path).with_context(read)?;
    ensure!(about.is_file(), "`{}` is no file", path.display());
    Ok((File::open(path).with_context(read)?, about.len()))
}

/// Where `path` is to be made: it must not be there, its folder must.
fn new_place(path: &Path) -> anyhow::Result<PathBuf> {
    let taken = path.symlink_metadata().is_ok();
    ensure!(
        !taken,
        "`{}` is there already, and is not written over",
        path.display()
    );
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    ensure!(folder.is_dir(), "`{}` is no folder", folder.display());
    Ok(folder.to_owned())
}

/// Makes what was renamed in `folder` outlast a crash.
fn sync(folder: &Path) -> anyhow::Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("cannot sync `{}`", folder.display()))
}
