//! Prints what a redaction hid.

use gateway_core::{Masked, OpaqueContent, OpaqueSummary, RedactionSummary, RuleSummary};

use super::row::row;
use crate::output::print;
use crate::table::{Table, plain};

/// Prints the rules that hid something, in columns, and counts the others.
pub(super) fn print_summary(summary: &RedactionSummary) {
    let mask: Vec<_> = summary
        .rules
        .iter()
        .filter(|rule| !rule.places.is_empty())
        .collect();
    let drop: Vec<_> = summary
        .dropped
        .iter()
        .filter(|rule| rule.entries > 0)
        .collect();
    if !mask.is_empty() {
        let headings = ["RULE", "MASKED", "BYTES", "PLACES"];
        let mut table = Table::new(headings).indented(2).right_aligned(&[1, 2]);
        for rule in &mask {
            let all = masked(rule);
            table.row([
                plain(&rule.name),
                plain(all.masks.to_string()),
                plain(all.bytes.to_string()),
                plain(places(rule)),
            ]);
        }
        table.finish();
    }
    if !drop.is_empty() {
        let headings = ["RULE", "REMOVED", "MEMBER"];
        let mut table = Table::new(headings).indented(2).right_aligned(&[1]);
        for rule in &drop {
            let entries = plain(rule.entries.to_string());
            table.row([plain(&rule.name), entries, plain(&rule.entry)]);
        }
        table.finish();
    }
    let all = summary.rules.len().saturating_add(summary.dropped.len());
    match all.saturating_sub(mask.len().saturating_add(drop.len())) {
        0 => {}
        1 => print("  1 other rule found nothing"),
        others => print(format_args!("  {others} other rules found nothing")),
    }
    values(summary);
    if let Some(report) = &summary.credentials {
        let count = report.credentials.len();
        row(
            "credentials",
            format_args!("{count} found, see the metadata"),
        );
    }
    opaque(&summary.opaque);
}

/// Prints what could not be searched or masked.
fn opaque(summary: &OpaqueSummary) {
    for content in &summary.contents {
        let OpaqueContent {
            place,
            bytes,
            reason,
            ..
        } = content;
        let name = if content.dropped {
            "removed"
        } else {
            "not searched"
        };
        row(name, format_args!("{place} ({bytes} bytes): {reason}"));
        if content.will_not_restore {
            row(
                "will not restore",
                format_args!("a process has {place} open or mapped"),
            );
        }
    }
    if summary.not_named > 0 {
        let others = summary.not_named;
        row("not searched", format_args!("{others} more are not listed"));
    }
}

fn values(summary: &RedactionSummary) {
    if summary.values_hidden > 0 {
        let hidden = summary.values_hidden;
        row(
            "values",
            format_args!("{hidden} values of variables searched for everywhere"),
        );
    }
    if summary.values_too_short > 0 {
        let short = summary.values_too_short;
        row(
            "short values",
            format_args!("{short} masked in environments only"),
        );
    }
    for name in &summary.common_values {
        row(
            "common value",
            format_args!("{name}, masked where the variable itself stands"),
        );
    }
    for name in &summary.unreadable {
        row(
            "unreadable",
            format_args!("{name}, searched as plain bytes"),
        );
    }
}

/// All that a rule masked, in all places.
fn masked(rule: &RuleSummary) -> Masked {
    let places = rule.places.values();
    places.fold(Masked::default(), |all, one| Masked {
        masks: all.masks.saturating_add(one.masks),
        bytes: all.bytes.saturating_add(one.bytes),
    })
}

fn places(rule: &RuleSummary) -> String {
    let places = rule
        .places
        .iter()
        .map(|(place, masked)| format!("{} {}", place.as_str(), masked.masks));
    places.collect::<Vec<_>>().join(", ")
}
