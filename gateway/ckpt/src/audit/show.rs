use std::collections::VecDeque;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use gateway_audit::Entry;

use super::facts::Facts;
use super::filter::{Filter, Meant};
use super::records::Records;
use super::table::{Table, Tone};
use crate::archive::Output;
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `audit show`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log; its closed segments are read, too.
    file: PathBuf,
    #[command(flatten)]
    filter: Filter,
    /// Only the last so many of those that fit.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: Option<u32>,
    /// How to show them: a table, or each as it stands in the log, one a line.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
  ckpt audit show audit.log --since 2h --verdict deny
  ckpt audit show audit.log --namespace shop --action download --output json | jq .user

Exit status: 0 where a record fits; 1 where none does, or a line is no record; 2 wrong usage.";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let mut records = Records::open(&options.file)?;
    let mut page = Page {
        output: options.output,
        table: None,
    };
    let (mut last, mut fit, mut meant) = (VecDeque::new(), false, Meant::default());
    for entry in records.by_ref() {
        let entry = entry?;
        if !options.filter.takes(&entry.record) {
            if !fit {
                meant.look(&options.filter, &entry);
            }
            continue;
        }
        fit = true;
        match options.limit {
            None => page.show(&entry),
            Some(limit) => {
                if last.len() >= limit as usize {
                    last.pop_front();
                }
                last.push_back(entry);
            }
        }
    }
    for entry in &last {
        page.show(entry);
    }
    page.end();
    let exit = records.end();
    if !fit {
        bail!(meant.told());
    }
    Ok(exit)
}

/// What is shown, as it is found.
struct Page {
    output: Output,
    table: Option<Table<8>>,
}

impl Page {
    fn show(&mut self, entry: &Entry) {
        match self.output {
            Output::Json => print(String::from_utf8_lossy(&entry.line)),
            Output::Text => {
                let headings = [
                    "TIME", "EVENT", "ACTION", "USER", "TARGET", "VERDICT", "STATUS", "DETAIL",
                ];
                self.table
                    .get_or_insert_with(|| Table::new(headings))
                    .row(row(entry));
            }
        }
    }

    fn end(self) {
        if let Some(mut table) = self.table {
            table.flush();
        }
    }
}

fn row(entry: &Entry) -> [(String, Tone); 8] {
    let facts = Facts::of(&entry.record);
    let plain = |text: Option<String>| (text.unwrap_or_else(|| "-".to_owned()), Tone::Plain);
    let verdict = match facts.allowed() {
        Some(true) => ("allow".to_owned(), Tone::Good),
        Some(false) => ("deny".to_owned(), Tone::Bad),
        None => plain(None),
    };
    let status = match facts.outcome.map(|outcome| outcome.status) {
        Some(status @ 1..400) => (status.to_string(), Tone::Good),
        Some(status) => (status.to_string(), Tone::Bad),
        None => plain(None),
    };
    [
        (format!("{:.3}", entry.record.at), Tone::Dim),
        plain(Some(entry.record.event.as_str().to_owned())),
        plain(facts.action.map(|action| action.as_str().to_owned())),
        plain(facts.user.map(str::to_owned)),
        plain(facts.target.map(ToString::to_string)),
        verdict,
        status,
        (detail(&facts), Tone::Plain),
    ]
}

/// The policy that denied, else what the record itself tells, else the checkpoint.
fn detail(facts: &Facts<'_>) -> String {
    match gateway_policy::decide(facts.verdicts) {
        Err((policy, denial)) if !facts.verdicts.is_empty() && !policy.is_empty() => {
            format!("{policy}: {}", denial.code)
        }
        _ if !facts.detail.is_empty() => facts.detail.to_owned(),
        _ => facts
            .checkpoint_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
    }
}
