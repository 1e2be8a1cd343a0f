//! Prints the results of a replay.

use gateway_core::{Action, Difference, Record};
use gateway_policy::Evaluation;
use serde_json::json;

use super::record_view::RecordView;
use super::totals::Totals;
use crate::output::{Format, print, print_exact};
use crate::printable::printable;
use crate::progress::Progress;
use crate::style::{BAD, DIM, GOOD};
use crate::table::{Table, or_dash, plain};

/// The longest list of masked fields, in characters.
const FIELDS: usize = 1000;

/// Differences are printed while they are found, totals at the end.
pub(super) struct Page {
    format: Format,
    table: Option<Table<7>>,
    progress: Progress,
}

impl Page {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            table: None,
            progress: Progress::of_things("requests compared", format),
        }
    }

    pub(super) fn difference(&mut self, record: &Record, difference: Difference, now: &Evaluation) {
        let view = RecordView::of(record);
        if self.format == Format::Json {
            return print_exact(json!({
                "difference": difference, "request_id": record.request_id, "at": record.at, "action": view.action,
                "user": view.user, "target": view.target, "verdicts": now.verdicts, "plan": now.plan,
            }));
        }
        let style = match difference {
            Difference::NowAllowed => GOOD,
            Difference::NowDenied | Difference::PlanChanged => BAD,
        };
        let denial = gateway_policy::decide(&now.verdicts).err();
        let denial = denial.map(|(policy, denial)| format!("{policy}: {}", denial.code));
        let headings = [
            "DIFFERENCE",
            "TIME",
            "ACTION",
            "USER",
            "TARGET",
            "NOW",
            "REQUEST",
        ];
        let table = self.table.get_or_insert_with(|| Table::new(headings));
        table.row([
            (difference.as_str().to_owned(), style),
            (format!("{:.3}", record.at), DIM),
            or_dash(view.action.map(Action::as_str)),
            or_dash(view.user),
            or_dash(view.target.map(ToString::to_string)),
            or_dash(denial),
            plain(record.request_id.to_string()),
        ]);
    }

    pub(super) fn advance(&mut self, compared: u64) {
        self.progress.advance(compared);
    }

    pub(super) fn finish(self, totals: &Totals) {
        drop(self.progress);
        if self.format == Format::Json {
            return print_exact(totals.to_json());
        }
        if let Some(table) = self.table {
            table.finish();
            print("");
        }
        print(format_args!(
            "{} requests compared: {} now allowed, {} now denied, {} with another plan",
            totals.compared, totals.now_allowed, totals.now_denied, totals.plan_changed
        ));
        let counts = totals.not_comparable().into_iter();
        let counts: Vec<_> = counts
            .filter(|(_, count)| *count > 0)
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        if !counts.is_empty() {
            print(format_args!("not compared: {}", counts.join(", ")));
        }
        let fields: Vec<_> = totals.masked_fields().collect();
        if !fields.is_empty() {
            let fields = printable(&fields.join(", "), FIELDS);
            print(format_args!(
                "masked, so not as the policies got them: {fields}"
            ));
        }
    }
}
