//! `archive diff`: lists the differences between two archives.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::file::open;
use super::show_diff;
use crate::exit::Exit;
use crate::output::{Format, print_exact};
use crate::progress::ProgressReader;

/// Arguments of `archive diff`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The first archive, usually the older one.
    #[arg(value_name = "A")]
    one: PathBuf,
    /// The second archive.
    #[arg(value_name = "B")]
    other: PathBuf,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
Compares the container, its processes by their ids, what they have open, the names of environment variables, mounts, keys of \
annotations, files in rootfs-diff.tar, and memory page by page at the same addresses. `-` stands for what only A has, `+` for \
what only B has, `~` for what differs. No value is printed: of memory and files only numbers and names.

Times, ids of containers, positions in files, sizes of sockets' buffers, registers and timers are not compared, since they \
differ between any two checkpoints. Memory that processes share is not compared, and the output says so.

With --output json: { a, b, same, container, processes, memory, env, mounts, annotations, files, not_compared, truncated }. \
`memory[].pages` counts pages that are equal, changed, new and gone; `memory[].mappings` does so for each mapping.

Examples:
  ckpt archive diff before.tar after.tar
  ckpt archive diff original.tar redacted.tar      what a redaction touched
  ckpt archive diff before.tar after.tar --output json | jq '.memory[] | {pid, pages}'

Exit status:
  0  nothing differs
  1  something differs, or an archive cannot be read
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let (a, b) = (options.one.display(), options.other.display());
    let (one, _) = open(&options.one)?;
    let (other, bytes) = open(&options.other)?;
    let mut one = std::io::BufReader::new(one);
    let mut other = ProgressReader::new(other, "comparing", bytes, options.output);
    let found = gateway_redact::compare(&mut one, &mut other)
        .with_context(|| format!("cannot compare `{a}` with `{b}`"))?;
    drop(other);
    match options.output {
        Format::Text => show_diff::comparison(&a.to_string(), &b.to_string(), &found),
        Format::Json => {
            let mut report = serde_json::to_value(&found)?;
            if let Some(report) = report.as_object_mut() {
                report.insert("a".to_owned(), json!(a.to_string()));
                report.insert("b".to_owned(), json!(b.to_string()));
            }
            print_exact(report);
        }
    }
    Ok(if found.same {
        Exit::Success
    } else {
        Exit::Failure
    })
}
