//! `audit show`: lists records that match a filter.

use std::collections::VecDeque;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use gateway_audit::Entry;
use gateway_core::Action;

use super::filter::Filter;
use super::record_view::RecordView;
use super::records::Records;
use super::suggestions::Suggestions;
use crate::exit::Exit;
use crate::output::{Format, print_exact};
use crate::style::{BAD, DIM, GOOD};
use crate::table::{Cell, Table, or_dash, plain};

/// Arguments of `audit show`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log. Its closed segments are read, too.
    file: PathBuf,
    #[command(flatten)]
    filter: Filter,
    /// Print only the last N records that match.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: Option<u32>,
    /// Format of the output: a table, or the lines of the log as they are.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
Examples:
  ckpt audit show audit.log --since 2h --verdict deny
  ckpt audit show audit.log --namespace shop --action download --output json | jq .user

Exit status:
  0  a record matches
  1  no record matches, or a line cannot be read
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let mut records = Records::open(&options.file)?;
    let mut page = Page::new(options);
    let mut suggestions = Suggestions::default();
    for entry in records.by_ref() {
        let entry = entry?;
        if options.filter.matches(&entry.record) {
            page.add(entry);
        } else if page.is_empty {
            suggestions.compare(&options.filter, &entry.record);
        }
    }
    let is_empty = page.is_empty;
    page.finish();
    let exit = records.end();
    if is_empty {
        bail!(suggestions.no_match());
    }
    Ok(exit)
}

/// The records that match: printed as they come, or, with a limit, kept until the log ends.
struct Page {
    format: Format,
    limit: Option<usize>,
    kept: VecDeque<Entry>,
    table: Option<Table<8>>,
    is_empty: bool,
}

impl Page {
    fn new(options: &Options) -> Self {
        Self {
            format: options.output,
            limit: options.limit.map(|limit| limit as usize),
            kept: VecDeque::new(),
            table: None,
            is_empty: true,
        }
    }

    fn add(&mut self, entry: Entry) {
        self.is_empty = false;
        let Some(limit) = self.limit else {
            return self.show(&entry);
        };
        if self.kept.len() >= limit {
            self.kept.pop_front();
        }
        self.kept.push_back(entry);
    }

    fn show(&mut self, entry: &Entry) {
        match self.format {
            Format::Json => print_exact(String::from_utf8_lossy(&entry.line)),
            Format::Text => self
                .table
                .get_or_insert_with(|| {
                    Table::new([
                        "TIME", "EVENT", "ACTION", "USER", "TARGET", "VERDICT", "STATUS", "DETAIL",
                    ])
                })
                .row(row(entry)),
        }
    }

    fn finish(mut self) {
        for entry in std::mem::take(&mut self.kept) {
            self.show(&entry);
        }
        if let Some(table) = self.table {
            table.finish();
        }
    }
}

fn row(entry: &Entry) -> [Cell; 8] {
    let view = RecordView::of(&entry.record);
    let verdict = match view.allowed() {
        Some(true) => ("allow".to_owned(), GOOD),
        Some(false) => ("deny".to_owned(), BAD),
        None => plain("-"),
    };
    let status = match view.outcome.map(|outcome| outcome.status) {
        Some(status @ 1..400) => (status.to_string(), GOOD),
        Some(status) => (status.to_string(), BAD),
        None => plain("-"),
    };
    [
        (format!("{:.3}", entry.record.at), DIM),
        plain(entry.record.event.as_str()),
        or_dash(view.action.map(Action::as_str)),
        or_dash(view.user),
        or_dash(view.target.map(ToString::to_string)),
        verdict,
        status,
        plain(detail(&view)),
    ]
}

/// The policy that denied; else the record's own detail, or else the checkpoint.
fn detail(view: &RecordView<'_>) -> String {
    match gateway_policy::decide(view.verdicts) {
        Err((policy, denial)) if !view.verdicts.is_empty() && !policy.is_empty() => {
            format!("{policy}: {}", denial.code)
        }
        _ if !view.detail.is_empty() => view.detail.to_owned(),
        _ => view
            .checkpoint_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
    }
}
