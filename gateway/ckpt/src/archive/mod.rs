//! `ckpt archive`: commands for archives of checkpoints. They need neither a gateway nor a network.

mod annotations;
mod audit;
mod corpus;
mod detectors;
mod diff;
mod export;
mod file;
mod findings;
mod inspect;
mod layout;
mod plan;
mod process_tree;
mod redact;
mod revoke;
mod row;
mod show;
mod show_audit;
mod show_diff;
mod show_dump;
mod show_open;
mod sidecar;
mod summary;
mod unseal;
mod verify;

use clap::{Args, Subcommand};

use crate::exit::Exit;

/// Arguments of `archive`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
A container runtime writes a checkpoint as one archive: a tar file with the memory of the container's processes. The \
gateway stores archives in its checkpoint directory, the kubelet under /var/lib/kubelet/checkpoints. An archive that is \
not redacted contains every secret of its container.

Examples:
  ckpt archive inspect FILE                  list processes, mounts, members and names of variables
  ckpt archive redact --plan PLAN FILE OUT   write a redacted copy
  ckpt archive verify FILE                   check digest, size and structure
  ckpt archive audit FILE                    list what looks like a credential, and what to revoke
  ckpt archive diff A B                      list what differs between two archives, memory by page
  ckpt archive unseal -i KEY SEALED OUT      decrypt a sealed original
  ckpt archive export --oci DIR FILE         make an OCI image that a runtime can restore
  ckpt archive detectors                     list the detectors of secrets

`ckpt archive COMMAND --help` explains each command.

Exit status:
  0  success
  1  failure, or a check that does not hold
  2  wrong usage";

#[derive(Subcommand)]
enum Command {
    /// List what an archive contains: processes, names of variables, mounts, sizes.
    Inspect(inspect::Options),
    /// Write a redacted copy of an archive.
    Redact(redact::Options),
    /// Check an archive's digest, size and structure.
    Verify(verify::Options),
    /// List what looks like a credential: kinds, places, expiry, and what would have to be revoked.
    Audit(audit::Options),
    /// List the differences between two archives: processes, open files, memory by page.
    Diff(diff::Options),
    /// Decrypt the sealed original of an archive.
    Unseal(unseal::Options),
    /// Make an OCI image from an archive.
    Export(export::Options),
    /// List the detectors, the secrets that they find, and their recall and precision.
    Detectors(detectors::Options),
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Command::Inspect(options) => inspect::run(options),
        Command::Redact(options) => redact::run(options),
        Command::Verify(options) => verify::run(options),
        Command::Audit(options) => audit::run(options),
        Command::Diff(options) => diff::run(options),
        Command::Unseal(options) => unseal::run(options),
        Command::Export(options) => export::run(options),
        Command::Detectors(options) => detectors::run(options),
    }
}
