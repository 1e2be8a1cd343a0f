//! Keeps audit records within the longest that the log takes.

use std::io;

use gateway_core::{Decision, Outcome, PlanRecord, Record, Verdict};

/// Bytes kept free for the fields of a record around its outcome.
const RECORD_FIELDS: usize = 1024;

/// Removes one part of an outcome.
type Removal = fn(&mut Outcome);

/// `outcome` without its largest parts, where it would not fit into a record. Parts that can be found elsewhere go first: a
/// denial must be on record, whatever the labels of the container.
pub(crate) fn fitted(mut outcome: Outcome) -> Outcome {
    let removals: [(&str, Removal); 7] = [
        ("request", |outcome| outcome.request = None),
        ("verdicts", |outcome| {
            outcome.verdicts.iter_mut().for_each(remove_words);
        }),
        ("redaction", |outcome| outcome.redaction = None),
        ("findings", |outcome| outcome.findings.clear()),
        ("plan", |outcome| {
            outcome.plan = PlanRecord {
                sha256: std::mem::take(&mut outcome.plan.sha256),
                ..PlanRecord::default()
            };
        }),
        ("groups", |outcome| outcome.groups.clear()),
        ("masked", |outcome| {
            outcome.masked.clear();
            outcome.told_before.clear();
        }),
    ];
    let is_too_long = |outcome: &Outcome| json_length(outcome) > Record::LONGEST - RECORD_FIELDS;
    // The metadata beside the archive has them, too.
    if is_too_long(&outcome)
        && let Some(redaction) = &mut outcome.redaction
        && redaction.credentials.take().is_some()
    {
        outcome.omitted.push("redaction.credentials".to_owned());
    }
    for (name, remove) in removals {
        if !is_too_long(&outcome) {
            break;
        }
        remove(&mut outcome);
        outcome.omitted.push(name.to_owned());
    }
    outcome
}

/// Removes a policy's own words from its verdict: annotations and the message of a denial.
pub(crate) fn remove_words(verdict: &mut Verdict) {
    verdict.annotations.clear();
    if let Decision::Deny(denial) = &mut verdict.decision {
        denial.message.clear();
    }
}

/// The length of `value` as JSON, in bytes.
pub(crate) fn json_length(value: &impl serde::Serialize) -> usize {
    let mut counter = Counter(0);
    // Counting never fails; a value that is not JSON is too long for every bound.
    serde_json::to_writer(&mut counter, value).map_or(usize::MAX, |()| counter.0)
}

/// Counts the bytes that are written to it.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::{Denial, Request, RequestRecord};

    const REQUEST: &str = include_str!("../../../policies/sdk/default-request.json");

    fn outcome(label: usize, annotation: usize) -> Outcome {
        let mut request: Request = serde_json::from_str(REQUEST).unwrap();
        request
            .target
            .labels
            .insert("large".to_owned(), "\"".repeat(label));
        let denial = Denial {
            code: "no".to_owned(),
            message: "never".to_owned(),
        };
        let mut verdict = Verdict::of("p", Decision::Deny(denial));
        verdict
            .annotations
            .insert("large".to_owned(), "x".repeat(annotation));
        Outcome {
            status: 403,
            request: Some(RequestRecord::of(&request, &[])),
            verdicts: vec![verdict],
            ..Outcome::default()
        }
    }

    #[test]
    fn leaves_an_outcome_that_fits_unchanged() {
        assert_eq!(fitted(outcome(1000, 1000)), outcome(1000, 1000));
    }

    #[test]
    fn removes_the_largest_parts_and_names_them() {
        let without_request = fitted(outcome(600_000, 1000));
        assert_eq!(
            (
                without_request.omitted.as_slice(),
                without_request.request.is_none()
            ),
            (&["request".to_owned()][..], true)
        );
        assert_eq!(
            without_request.verdicts,
            outcome(0, 1000).verdicts,
            "the decision stays"
        );
        let shortest = fitted(outcome(10, 2_000_000));
        assert_eq!(shortest.omitted, ["request", "verdicts"]);
        assert_eq!(
            (shortest.status, shortest.verdicts[0].policy.as_str()),
            (403, "p")
        );
        assert!(json_length(&shortest) < Record::LONGEST);
    }
}
