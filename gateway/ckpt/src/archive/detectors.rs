//! `archive detectors`: lists the detectors, the secrets that they find, and how well they do on the corpus.

use anyhow::{Context, Result};
use clap::Args;
use gateway_redact::search::{Corpus, DetectorInfo, Figures, SecretKind, catalogue};
use serde::Serialize;
use serde_json::json;

use super::corpus;
use crate::exit::Exit;
use crate::output::{Format, print, print_exact};
use crate::style::BOLD;
use crate::table::{Table, or_dash, plain};

/// The widest cell of a table, in columns.
const WIDTH: usize = 56;

/// Arguments of `archive detectors`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// Only the detector of this name.
    name: Option<String>,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
A detector finds secrets by their form, or variables by names that speak of secrets; a plan names it as \
{ \"detector\": \"NAME\" }. For each kind of secret: the bytes by which it is known, the alphabet and the length of the rest, \
check digits, an example that is made up anew, and the public documentation of the format. Tokens with wrong check digits \
are hidden, too, except of cards.

Recall and precision are measured now, on the corpus of this program's source (gateway/redact/tests/corpus): recall is the \
part of the secrets that was found, and exactly; precision the part of what was found that is secret.

Examples:
  ckpt archive detectors
  ckpt archive detectors registry-token
  ckpt archive detectors --output json | jq '.detectors[].kinds[].prefix'

Exit status:
  0  success
  1  there is no detector of this name
  2  wrong usage";

/// A detector with its figures.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    detector: DetectorInfo,
    positives: usize,
    look_alikes: usize,
    recall_percent: usize,
    precision_percent: usize,
}

pub(super) fn run(options: &Options) -> Result<Exit> {
    let wanted = |name: &str| options.name.as_deref().is_none_or(|wanted| wanted == name);
    let detectors = catalogue().into_iter();
    let rows = detectors
        .filter(|detector| wanted(detector.name))
        .map(measured);
    let rows = rows.collect::<Result<Vec<_>>>()?;
    if rows.is_empty() {
        let name = options.name.as_deref().unwrap_or_default();
        anyhow::bail!("no detector is called `{name}`; `ckpt archive detectors` lists all");
    }
    match options.output {
        Format::Json => print_exact(json!({ "detectors": rows })),
        Format::Text => show(&rows),
    }
    Ok(Exit::Success)
}

fn measured(detector: DetectorInfo) -> Result<Row> {
    let (positives, negatives) = corpus::of(detector.name).context("it has no corpus")?;
    let corpus = Corpus::new(detector.name, positives, negatives, corpus::SHARED)?;
    let figures = corpus.measure(detector.name)?;
    Ok(Row::new(detector, &figures))
}

impl Row {
    fn new(detector: DetectorInfo, figures: &Figures) -> Self {
        Self {
            detector,
            positives: figures.positives,
            look_alikes: figures.negatives,
            recall_percent: figures.recall(),
            precision_percent: figures.precision(),
        }
    }
}

fn show(rows: &[Row]) {
    let headings = [
        "detector",
        "kinds",
        "secrets",
        "look-alikes",
        "recall",
        "precision",
    ];
    let mut table = Table::new(headings).right_aligned(&[1, 2, 3, 4, 5]);
    for row in rows {
        table.row([
            plain(row.detector.name),
            plain(row.detector.kinds.len().to_string()),
            plain(row.positives.to_string()),
            plain(row.look_alikes.to_string()),
            plain(format!("{} %", row.recall_percent)),
            plain(format!("{} %", row.precision_percent)),
        ]);
    }
    table.finish();
    for row in rows {
        print(format_args!("\n{BOLD}{}{BOLD:#}", row.detector.name));
        let mut table = Table::new([
            "kind", "prefix", "alphabet", "length", "checksum", "example", "source",
        ])
        .indented(2);
        row.detector
            .kinds
            .iter()
            .for_each(|kind| add(&mut table, kind));
        table.finish();
    }
}

fn add(table: &mut Table<7>, kind: &SecretKind) {
    table.row_up_to(
        WIDTH,
        [
            plain(&kind.kind),
            plain(&kind.prefix),
            plain(&kind.alphabet),
            plain(&kind.length),
            or_dash(kind.checksum.as_deref()),
            or_dash(kind.example.as_deref()),
            plain(&kind.source),
        ],
    );
}
