//! Compares the shadow policies' answers with the real decisions; counts, logs and records the differences.

use std::sync::Arc;

use gateway_core::{Decision, Difference, Event, PlanRecord, Record, Verdict};
use gateway_policy::Evaluation;
use tracing::info;

use super::ShadowObservation;
use crate::audit_writer::AuditWriter;
use crate::hidden_fields::{HiddenFields, visible_verdicts};
use crate::record_size::remove_words;
use crate::telemetry::Metrics;

/// The longest words of all verdicts of a record, in bytes. Escaped in JSON, a character may be six times as long.
const WORDS_MAX: usize = Record::LONGEST / 8;

/// Counts, logs and audits differences.
#[derive(Clone)]
pub(crate) struct ShadowRecords {
    audit: AuditWriter,
    metrics: Arc<Metrics>,
}

impl ShadowRecords {
    pub(crate) fn new(audit: AuditWriter, metrics: Arc<Metrics>) -> Self {
        Self { audit, metrics }
    }

    /// Compares the candidate's answer with the decision.
    pub(super) async fn record(&self, observation: ShadowObservation, candidate: Evaluation) {
        // A deadline that passed beside real work shows nothing about the answer.
        if candidate.is_timed_out() || observation.decided.is_timed_out() {
            return self.metrics.shadow("timed-out");
        }
        let Some(difference) = observation.decided.difference(&candidate) else {
            return self.metrics.shadow("same");
        };
        self.metrics.shadow(difference.as_str());
        log(&observation, &candidate, difference);
        let event = Event::Shadow {
            difference,
            action: observation.request.action,
            target: observation.request.target.target,
            verdicts: visible(candidate.verdicts, &observation.hidden),
            plan: PlanRecord {
                sha256: candidate.plan.sha256,
                ..PlanRecord::default()
            },
        };
        // A lost record is logged and counted there.
        let _ = self.audit.write(observation.ids, event).await;
    }
}

fn log(observation: &ShadowObservation, candidate: &Evaluation, difference: Difference) {
    let denial = gateway_policy::decide(&candidate.verdicts).err();
    let (policy, code) = denial.map(|(policy, denial)| (policy, denial.code)).unzip();
    let generation = candidate.verdicts.first().map(|verdict| verdict.generation);
    info!(
        request_id = %observation.ids.request_id,
        trace_id = observation.ids.trace_id.map(String::from),
        result = difference.as_str(),
        action = observation.request.action.as_str(),
        target = %observation.request.target.target,
        policy,
        code,
        generation,
        "the shadow policies differ"
    );
}

/// The verdicts without the policies' own words, where a field is hidden, which the words may repeat, or where they are too
/// long for a record.
fn visible(mut verdicts: Vec<Verdict>, hidden: &HiddenFields) -> Vec<Verdict> {
    let words: usize = verdicts.iter().map(words).sum();
    if words > WORDS_MAX {
        verdicts.iter_mut().for_each(remove_words);
    }
    visible_verdicts(verdicts, &hidden.to_vec(), hidden.texts())
}

/// The length of a policy's own words, in bytes.
fn words(verdict: &Verdict) -> usize {
    let annotations = verdict
        .annotations
        .iter()
        .map(|(name, value)| name.len() + value.len());
    let message = if let Decision::Deny(denial) = &verdict.decision {
        denial.message.len()
    } else {
        0
    };
    annotations.sum::<usize>() + message
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::HiddenField;

    fn verdict(value: &str) -> Verdict {
        let mut verdict = Verdict::of("p", Decision::Allow);
        let annotation = ("user".to_owned(), value.to_owned());
        verdict.annotations.extend([annotation]);
        verdict
    }

    #[test]
    fn removes_words_that_may_repeat_a_hidden_field() {
        let hidden = HiddenFields::default();
        let shown = visible(vec![verdict("alice")], &hidden);
        assert_eq!(shown, [verdict("alice")]);
        hidden.add([HiddenField::User]);
        let shown = visible(vec![verdict("alice")], &hidden);
        assert!(shown[0].annotations.is_empty());
    }

    #[test]
    fn removes_words_that_are_too_long() {
        let hidden = HiddenFields::default();
        let shown = visible(vec![verdict(&"x".repeat(WORDS_MAX))], &hidden);
        assert!(shown[0].annotations.is_empty());
    }
}
