//! `audit stats`: counts records and requests, and shows how long requests took.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use gateway_core::{Action, Decision, Event, Outcome, Record};
use indicatif::BinaryBytes;
use serde_json::{Value, json};

use super::durations::Durations;
use super::filter::Filter;
use super::record_view::RecordView;
use super::records::Records;
use super::suggestions::Suggestions;
use super::tally::Tally;
use crate::exit::Exit;
use crate::output::{Format, print, print_exact};
use crate::style::{BOLD, styled};
use crate::table::{Table, plain};

/// Arguments of `audit stats`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log. Its closed segments are read, too.
    file: PathBuf,
    #[command(flatten)]
    filter: Filter,
    /// Print the N most frequent users, policies and codes.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
Requests are counted by their outcomes. Durations are in milliseconds.

Examples:
  ckpt audit stats audit.log --since 24h
  ckpt audit stats audit.log --output json | jq .durations

Exit status:
  0  success
  1  no record matches, or a line cannot be read
  2  wrong usage";

/// The counts. A request is counted by its outcome, since its intent is the same request.
struct Stats {
    records: u64,
    first: Option<jiff::Timestamp>,
    last: Option<jiff::Timestamp>,
    tallies: [(&'static str, Tally); 7],
    stored: u64,
    sent: u64,
    unrecorded: u64,
    durations: BTreeMap<&'static str, Durations>,
}

pub(super) fn run(options: &Options) -> Result<Exit> {
    let mut records = Records::open(&options.file)?;
    let (mut stats, mut suggestions) = (Stats::new(), Suggestions::default());
    for entry in records.by_ref() {
        let entry = entry?;
        if options.filter.matches(&entry.record) {
            stats.count(&entry.record);
        } else if stats.records == 0 {
            suggestions.compare(&options.filter, &entry.record);
        }
    }
    let exit = records.end();
    if stats.records == 0 {
        bail!(suggestions.no_match());
    }
    let top = usize::from(options.top);
    match options.output {
        Format::Json => print_exact(stats.to_json(top)),
        Format::Text => stats.show(top),
    }
    Ok(exit)
}

impl Stats {
    fn new() -> Self {
        let names = [
            "events", "actions", "verdicts", "statuses", "codes", "policies", "users",
        ];
        Self {
            records: 0,
            first: None,
            last: None,
            tallies: names.map(|name| (name, Tally::default())),
            stored: 0,
            sent: 0,
            unrecorded: 0,
            durations: BTreeMap::new(),
        }
    }

    fn count(&mut self, record: &Record) {
        self.records = self.records.saturating_add(1);
        self.first.get_or_insert(record.at);
        self.last = Some(record.at);
        self.tally("events", record.event.as_str());
        if let Event::Outcome(outcome) = &record.event {
            self.outcome(outcome, &RecordView::of(record));
        }
    }

    fn outcome(&mut self, outcome: &Outcome, view: &RecordView<'_>) {
        let action = outcome.action.map_or("other", Action::as_str);
        self.tally("actions", action);
        self.tally("statuses", &outcome.status.to_string());
        self.tally("users", outcome.user.as_deref().unwrap_or("-"));
        if let Some(allowed) = view.allowed() {
            self.tally("verdicts", if allowed { "allow" } else { "deny" });
        }
        if let Some(code) = &outcome.code {
            self.tally("codes", code);
        }
        for verdict in &outcome.verdicts {
            let word = match &verdict.decision {
                Decision::Allow => "allow",
                Decision::Abstain => "abstain",
                Decision::Deny(_) => "deny",
            };
            self.tally("policies", &format!("{} {word}", verdict.policy));
        }
        let bytes = outcome.bytes.unwrap_or_default();
        match outcome.action {
            Some(Action::Create) => self.stored = self.stored.saturating_add(bytes),
            Some(Action::Download | Action::DownloadOriginal) => {
                self.sent = self.sent.saturating_add(bytes);
            }
            _ => {}
        }
        self.unrecorded = self.unrecorded.saturating_add(outcome.suppressed);
        self.durations
            .entry(action)
            .or_insert_with(Durations::new)
            .add(outcome.duration_us);
    }

    fn tally(&mut self, of: &str, name: &str) {
        if let Some((_, tally)) = self.tallies.iter_mut().find(|(known, _)| *known == of) {
            tally.count(name);
        }
    }

    fn show(&self, top: usize) {
        let time = |time: Option<jiff::Timestamp>| {
            time.map(|time| format!("{time:.3}")).unwrap_or_default()
        };
        print(format_args!(
            "{} records, {} to {}",
            self.records,
            time(self.first),
            time(self.last)
        ));
        print(format_args!(
            "{} stored, {} sent",
            BinaryBytes(self.stored),
            BinaryBytes(self.sent)
        ));
        if self.unrecorded > 0 {
            print(format_args!(
                "{} unauthenticated requests have no record of their own (rate limit)",
                self.unrecorded
            ));
        }
        for (name, tally) in &self.tallies {
            show_tally(name, tally, top);
        }
        self.show_durations();
    }

    fn show_durations(&self) {
        print("");
        let headings = ["milliseconds", "p50", "p90", "p99", "max"];
        let mut table = Table::new(headings).right_aligned(&[1, 2, 3, 4]);
        for (action, durations) in &self.durations {
            let [p50, p90, p99, max] =
                [50, 90, 99, 100].map(|percent| plain(milliseconds(durations.quantile(percent))));
            table.row([plain(*action), p50, p90, p99, max]);
        }
        table.finish();
    }

    fn to_json(&self, top: usize) -> Value {
        let tally = |(name, tally): &(&str, Tally)| {
            let (names, others) = tally.top(top);
            let names: serde_json::Map<_, _> = names
                .into_iter()
                .map(|(name, count)| (name.to_owned(), count.into()))
                .collect();
            (
                (*name).to_owned(),
                json!({ "top": names, "others": others }),
            )
        };
        let durations = |(action, durations): (&&str, &Durations)| {
            let [p50, p90, p99, most] =
                [50, 90, 99, 100].map(|percent| durations.quantile(percent));
            (
                (*action).to_owned(),
                json!({ "p50_us": p50, "p90_us": p90, "p99_us": p99, "max_us": most }),
            )
        };
        json!({
            "records": self.records, "first": self.first, "last": self.last,
            "bytes_stored": self.stored, "bytes_sent": self.sent, "suppressed": self.unrecorded,
            "counts": self.tallies.iter().map(tally).collect::<serde_json::Map<_, _>>(),
            "durations": self.durations.iter().map(durations).collect::<serde_json::Map<_, _>>(),
        })
    }
}

fn show_tally(heading: &str, tally: &Tally, top: usize) {
    let (names, others) = tally.top(top);
    if names.is_empty() {
        return;
    }
    print(format_args!("\n{}", styled(BOLD, heading)));
    let mut table = Table::without_headings().indented(2).right_aligned(&[0]);
    for (name, count) in names {
        table.row_up_to(120, [plain(count.to_string()), plain(name)]);
    }
    if others > 0 {
        table.row([plain(others.to_string()), plain("others")]);
    }
    table.finish();
}

/// With one decimal.
fn milliseconds(microseconds: Option<u64>) -> String {
    microseconds
        .map(|us| format!("{}.{}", us / 1000, us % 1000 / 100))
        .unwrap_or_default()
}
