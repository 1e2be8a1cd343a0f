//! Records as others' tools read them.

mod k8s;
mod ocsf;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use gateway_core::{Event, Outcome, Record};

use super::filter::Filter;
use super::records::Records;
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `audit export`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log; its closed segments are read, too.
    file: PathBuf,
    /// As what.
    #[arg(long, value_enum)]
    format: Format,
    #[command(flatten)]
    filter: Filter,
}

const AFTER: &str = "\
Prints one JSON object a line for each outcome: a request that has ended. Intents, and what the gateway \
or the log does by itself, have no counterpart there and are left out.

  k8s-audit   audit.k8s.io/v1 Event, level Metadata, stage ResponseComplete; the resource is a pod's
              subresource `checkpoint` or, for those that exist, `checkpoints` of checkpoint-gateway
  ocsf        Open Cybersecurity Schema Framework 1.9.0, API Activity (class 6003)

Exit status: 0 success; 1 where the log cannot be read, or a line is no record; 2 wrong usage.";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    K8sAudit,
    Ocsf,
}

pub(super) fn run(options: &Options) -> Result<Exit> {
    let mut records = Records::open(&options.file)?;
    for entry in records.by_ref() {
        let record = entry?.record;
        if let Event::Outcome(outcome) = &record.event
            && options.filter.takes(&record)
        {
            print(match options.format {
                Format::K8sAudit => k8s::event(&record, outcome),
                Format::Ocsf => ocsf::event(&record, outcome),
            });
        }
    }
    Ok(records.end())
}

/// When the request was received: before the record was written by as long as it took.
fn began(record: &Record, outcome: &Outcome) -> jiff::Timestamp {
    let took = i64::try_from(outcome.duration_us).unwrap_or(i64::MAX);
    let began = record.at.as_microsecond().checked_sub(took);
    began
        .and_then(|began| jiff::Timestamp::from_microsecond(began).ok())
        .unwrap_or(record.at)
}

/// The path that was called, as far as the record tells.
fn path(outcome: &Outcome) -> String {
    use gateway_core::Action;
    match (outcome.action, &outcome.target, outcome.checkpoint_id) {
        (Some(Action::Create), Some(target), _) => format!("/checkpoint/{target}"),
        (Some(Action::Download), _, Some(id)) => format!("/v1/checkpoints/{id}/archive"),
        (Some(Action::DownloadOriginal), _, Some(id)) => {
            format!("/v1/checkpoints/{id}/archive?view=original")
        }
        (Some(Action::Hold), _, Some(id)) => format!("/v1/checkpoints/{id}/hold"),
        (Some(Action::Inspect | Action::Delete), _, Some(id)) => format!("/v1/checkpoints/{id}"),
        (Some(Action::List), ..) => "/v1/checkpoints".to_owned(),
        _ => "/".to_owned(),
    }
}
