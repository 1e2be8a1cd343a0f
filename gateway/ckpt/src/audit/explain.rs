//! `audit explain`: explains a request in sentences.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use gateway_core::{Action, CheckpointId, Event, Record, RequestId, TraceId};

use super::record_view::RecordView;
use super::records::Records;
use super::sentences;
use crate::exit::Exit;
use crate::output::{Format, print, print_exact};

/// The most records that are printed.
const MAX_RECORDS: usize = 1000;

/// Arguments of `audit explain`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The id of a request, a trace or a checkpoint, as in an answer, a log line or a file's name.
    #[arg(value_parser = Id::read)]
    id: Id,
    /// The audit log. Its closed segments are read, too.
    file: PathBuf,
    /// Format of the output: sentences, or the lines of the log as they are.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
Prints who asked for what, each policy's answer, what the redaction plan hides, how the request ended, and later requests for \
the same checkpoint.

Examples:
  ckpt audit explain 0199c1de-6c0a-7c34-b7a0-0c6b7fb8b1a5 audit.log
  ckpt audit explain 4bf92f3577b34da6a3ce929d0e0e4736 audit.log --output json

Exit status:
  0  a record has this id
  1  no record has this id, or a line cannot be read
  2  wrong usage";

/// An id of a kind that can be explained.
#[derive(Clone, Copy)]
enum Id {
    /// Of a request or a checkpoint: both are UUIDs.
    One(RequestId, CheckpointId),
    Trace(TraceId),
}

impl Id {
    fn read(text: &str) -> Result<Self> {
        match (
            text.parse(),
            text.parse(),
            TraceId::try_from(text.to_owned()),
        ) {
            (Ok(request), Ok(checkpoint), _) => Ok(Self::One(request, checkpoint)),
            (_, _, Ok(trace)) => Ok(Self::Trace(trace)),
            _ => bail!(
                "the id of a request or checkpoint is a UUID in lower case; the id of a trace has 32 hex digits"
            ),
        }
    }

    fn names(self, record: &Record, checkpoint: Option<CheckpointId>) -> bool {
        match self {
            Self::One(request, wanted) => {
                record.request_id == request || checkpoint == Some(wanted)
            }
            Self::Trace(trace) => record.trace_id == Some(trace),
        }
    }
}

pub(super) fn run(options: &Options) -> Result<Exit> {
    let mut records = Records::open(&options.file)?;
    let (mut found, mut left_out) = (Vec::new(), 0_u64);
    let mut taken: Vec<CheckpointId> = Vec::new();
    for entry in records.by_ref() {
        let entry = entry?;
        let checkpoint = RecordView::of(&entry.record).checkpoint_id;
        let named = options.id.names(&entry.record, checkpoint);
        if !named && !checkpoint.is_some_and(|id| taken.contains(&id)) {
            continue;
        }
        if named && is_create(&entry.record) {
            taken.extend(checkpoint.filter(|id| !taken.contains(id)));
        }
        if found.len() < MAX_RECORDS {
            found.push(entry);
        } else {
            left_out = left_out.saturating_add(1);
        }
    }
    let exit = records.end();
    if found.is_empty() {
        bail!("no record in `{}` has this id", options.file.display());
    }
    match options.output {
        Format::Json => found
            .iter()
            .for_each(|entry| print_exact(String::from_utf8_lossy(&entry.line))),
        Format::Text => {
            let records: Vec<_> = found.iter().map(|entry| &entry.record).collect();
            sentences::explain(&records);
        }
    }
    if left_out > 0 {
        print(format_args!("\n{left_out} more records are not shown."));
    }
    Ok(exit)
}

/// Whether the record is the intent to take a checkpoint; later requests for that checkpoint are explained, too.
fn is_create(record: &Record) -> bool {
    matches!(
        record.event,
        Event::Intent {
            action: Action::Create,
            ..
        }
    )
}
