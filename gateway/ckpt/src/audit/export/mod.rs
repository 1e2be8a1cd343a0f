//! `audit export`: prints outcomes as events for other tools.

mod k8s;
mod ocsf;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use gateway_core::{Event, Outcome, Record};

use super::filter::Filter;
use super::records::Records;
use crate::exit::Exit;
use crate::output::print_exact;

/// Arguments of `audit export`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log. Its closed segments are read, too.
    file: PathBuf,
    /// The events' format.
    #[arg(long, value_enum)]
    format: EventFormat,
    #[command(flatten)]
    filter: Filter,
}

const AFTER: &str = "\
Prints one JSON event a line for each outcome. Intents, and records that the gateway or the log writes on its own, have no \
counterpart in these formats and are left out.

  k8s-audit   audit.k8s.io/v1 Event, level Metadata, stage ResponseComplete; the resource is a pod's subresource
              `checkpoint` or, for stored checkpoints, `checkpoints` of the group checkpoint-gateway
  ocsf        Open Cybersecurity Schema Framework 1.9.0, API Activity (class 6003)

Examples:
  ckpt audit export audit.log --format k8s-audit --since 1h
  ckpt audit export audit.log --format ocsf --verdict deny | jq .actor

Exit status:
  0  success
  1  the log cannot be read, or a line in it
  2  wrong usage";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EventFormat {
    K8sAudit,
    Ocsf,
}

pub(super) fn run(options: &Options) -> Result<Exit> {
    let mut records = Records::open(&options.file)?;
    for entry in records.by_ref() {
        let record = entry?.record;
        if let Event::Outcome(outcome) = &record.event
            && options.filter.matches(&record)
        {
            print_exact(match options.format {
                EventFormat::K8sAudit => k8s::event(&record, outcome),
                EventFormat::Ocsf => ocsf::event(&record, outcome),
            });
        }
    }
    Ok(records.end())
}

/// When the request was received: the record's time less the request's duration.
fn began(record: &Record, outcome: &Outcome) -> jiff::Timestamp {
    let took = i64::try_from(outcome.duration_us).unwrap_or(i64::MAX);
    let began = record.at.as_microsecond().checked_sub(took);
    began
        .and_then(|began| jiff::Timestamp::from_microsecond(began).ok())
        .unwrap_or(record.at)
}

/// The path of the request, as far as the record has it.
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
