use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use gateway_core::{Action, CheckpointId, Event, Record, RequestId, TraceId};

use super::facts::Facts;
use super::records::Records;
use super::sentences;
use crate::archive::Output;
use crate::exit::Exit;
use crate::output::print;

/// The most records of which is told.
const MOST: usize = 1000;

/// Arguments of `audit explain`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The id of a request, a trace or a checkpoint: of an answer, a log line or a file's name.
    #[arg(value_parser = Id::read)]
    id: Id,
    /// The audit log; its closed segments are read, too.
    file: PathBuf,
    /// How to say it: in sentences, or the records themselves, one a line.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
Tells who asked for what, what every policy said of it, what was to be hidden, how it ended, and what \
became of the checkpoint later.

Exit status: 0 where the id is found; 1 where it is not, or a line is no record; 2 wrong usage.";

/// What may be explained.
#[derive(Clone, Copy)]
enum Id {
    /// A request's or a checkpoint's: both are UUIDs.
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
                "a request's or checkpoint's id is a UUID in lower case, a trace's has 32 hex digits"
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
        let checkpoint = Facts::of(&entry.record).checkpoint_id;
        let named = options.id.names(&entry.record, checkpoint);
        if !named && !checkpoint.is_some_and(|id| taken.contains(&id)) {
            continue;
        }
        if named && is_create(&entry.record) {
            taken.extend(checkpoint.filter(|id| !taken.contains(id)));
        }
        if found.len() < MOST {
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
        Output::Json => found
            .iter()
            .for_each(|entry| print(String::from_utf8_lossy(&entry.line))),
        Output::Text => {
            let records: Vec<_> = found.iter().map(|entry| &entry.record).collect();
            sentences::tell(&records);
        }
    }
    if left_out > 0 {
        print(format_args!("\n{left_out} more records are left out."));
    }
    Ok(exit)
}

/// Whether a checkpoint comes of it: what happens to that later belongs to its story.
fn is_create(record: &Record) -> bool {
    matches!(
        record.event,
        Event::Intent {
            action: Action::Create,
            ..
        }
    )
}
