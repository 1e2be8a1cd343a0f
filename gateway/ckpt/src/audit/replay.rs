//! `audit replay`: asks other policies about the requests in a log and lists the decisions that differ.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::candidate;
use super::filter::Filter;
use super::records::Records;
use super::replay_page::Page;
use super::totals::Totals;
use crate::exit::Exit;
use crate::output::Format;

/// Arguments of `audit replay`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The audit log. Its closed segments are read, too.
    file: PathBuf,
    /// The policies to ask: a gateway's configuration, a TOML file with only its `[[policies]]`, `[authorization]` and
    /// `[policy-engine]`, or a folder with such a `policies.toml`. Relative paths in a folder's file count from the folder.
    #[arg(long, value_name = "CONFIG")]
    policies: PathBuf,
    #[command(flatten)]
    filter: Filter,
    /// Format of the output: a table, or a JSON object for each difference and one for the totals, one a line.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
A record contains the request as the policies got it, and policies get nothing else: so the same policies decide the same \
again.

Not compared are requests with fields that a plan hides or in which a secret is masked (their names are printed), requests that were too long for their record, requests for which a \
policy ran out of time, and lists, for which policies are asked about each checkpoint.

Examples:
  ckpt audit replay audit.log --policies new.toml
  ckpt audit replay audit.log --policies policies/ --since 7d --output json

Exit status:
  0  every decision is the same
  1  the log or the policies cannot be read
  2  a decision differs, or wrong usage
  3  the configuration is wrong";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let policies = candidate::load(&options.policies)?;
    let mut records = Records::open(&options.file)?;
    let (mut totals, mut page) = (Totals::default(), Page::new(options.output));
    for entry in records.by_ref() {
        let record = entry?.record;
        if !options.filter.matches(&record) {
            continue;
        }
        let compared = totals.compared;
        if let Some((difference, now)) = totals.compare(&record, &policies) {
            page.difference(&record, difference, &now);
        }
        page.advance(totals.compared.saturating_sub(compared));
    }
    page.finish(&totals);
    let exit = records.end();
    Ok(if exit == Exit::Success && totals.differences() > 0 {
        Exit::Different
    } else {
        exit
    })
}
