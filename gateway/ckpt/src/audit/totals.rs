//! Compares decisions in a log with those of other policies, and counts the results.

use std::collections::BTreeSet;

use gateway_core::{Difference, Event, Record};
use gateway_policy::{Evaluation, Policies};
use serde_json::{Value, json};

use super::record_view::RecordView;

/// The most names of masked fields that are listed.
const FIELDS_MAX: usize = 20;

/// The results of a replay, counted.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) compared: u64,
    pub(super) now_allowed: u64,
    pub(super) now_denied: u64,
    pub(super) plan_changed: u64,
    hidden: u64,
    masked: u64,
    /// The names of fields in which something is masked, some of them.
    masked_fields: BTreeSet<String>,
    omitted: u64,
    lists: u64,
    timed_out: u64,
    unknown: u64,
}

impl Totals {
    /// Asks `policies` about a record's request; returns how their decision differs from the recorded one, if it does.
    pub(super) fn compare(
        &mut self,
        record: &Record,
        policies: &Policies,
    ) -> Option<(Difference, Evaluation)> {
        let view = RecordView::of(record);
        let Some(request) = view.request else {
            self.count_without_request(&record.event);
            return None;
        };
        let was = Evaluation {
            verdicts: view.verdicts.to_vec(),
            plan: view.plan.cloned().unwrap_or_default(),
        };
        if !view.hidden.is_empty() {
            add(&mut self.hidden);
        } else if !view.masked.is_empty() {
            add(&mut self.masked);
            self.name_masked(view.masked);
        } else if was.is_timed_out() {
            add(&mut self.timed_out);
        } else if let Some(request) = request.request() {
            let now = policies.evaluate(&request);
            if now.is_timed_out() {
                add(&mut self.timed_out);
                return None;
            }
            add(&mut self.compared);
            let difference = was.difference(&now)?;
            add(match difference {
                Difference::NowAllowed => &mut self.now_allowed,
                Difference::NowDenied => &mut self.now_denied,
                Difference::PlanChanged => &mut self.plan_changed,
            });
            return Some((difference, now));
        } else {
            add(&mut self.unknown);
        }
        None
    }

    /// Counts an outcome whose request was left out. Other records without a request have it in their intent, or no policy
    /// was asked.
    fn count_without_request(&mut self, event: &Event) {
        if let Event::Outcome(outcome) = event {
            if outcome.omitted.iter().any(|name| name == "request") {
                add(&mut self.omitted);
            } else if outcome.listed.is_some() {
                add(&mut self.lists);
            }
        }
    }

    fn name_masked(&mut self, fields: &[String]) {
        for field in fields {
            if self.masked_fields.len() >= FIELDS_MAX {
                return;
            }
            self.masked_fields.insert(field.clone());
        }
    }

    /// The names of fields in which the records mask something, up to 20 of them.
    pub(super) fn masked_fields(&self) -> impl Iterator<Item = &str> {
        self.masked_fields.iter().map(String::as_str)
    }

    pub(super) fn differences(&self) -> u64 {
        self.now_allowed
            .saturating_add(self.now_denied)
            .saturating_add(self.plan_changed)
    }

    /// The requests that were not compared, with the reason.
    pub(super) fn not_comparable(&self) -> [(&'static str, u64); 6] {
        [
            ("hidden", self.hidden),
            ("masked", self.masked),
            ("omitted", self.omitted),
            ("lists", self.lists),
            ("timed-out", self.timed_out),
            ("unknown", self.unknown),
        ]
    }

    pub(super) fn to_json(&self) -> Value {
        let not: serde_json::Map<_, _> = self
            .not_comparable()
            .into_iter()
            .map(|(why, count)| (why.to_owned(), count.into()))
            .collect();
        json!({
            "compared": self.compared,
            "differences": self.differences(),
            "now-allowed": self.now_allowed,
            "now-denied": self.now_denied,
            "plan-changed": self.plan_changed,
            "not-comparable": not,
            "masked-fields": self.masked_fields,
        })
    }
}

fn add(count: &mut u64) {
    *count = count.saturating_add(1);
}
