//! What the audit log is told of a request: who asks for what, and how it ended.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gateway_audit::Intent;
use gateway_core::{
    Action, CheckpointId, Decision, Event, HiddenField, Identity, Outcome, PlanRecord, Record,
    Request, RequestId, RequestRecord, Target, TraceId, Verdict,
};
use jiff::Timestamp;
use tracing::{Instrument, error, info_span};

use crate::Error;
use crate::error_chain::cause;
use crate::hidden_fields::Hidden;
use crate::pipeline::Context;

/// The longest that is kept of what a caller is told, in bytes.
const MESSAGE_MAX: usize = 1024;

/// What every record of a request tells, however it ends.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) request_id: RequestId,
    pub(crate) trace_id: Option<TraceId>,
    /// Absent where nobody was proven.
    pub(crate) identity: Option<Identity>,
    pub(crate) source_address: IpAddr,
    pub(crate) reason: Option<String>,
    pub(crate) action: Option<Action>,
    pub(crate) target: Option<Target>,
    pub(crate) checkpoint_id: Option<CheckpointId>,
    pub(crate) hidden: Hidden,
    pub(crate) since: Instant,
    /// Whether an outcome is written, or somebody is there who will do it.
    pub(crate) recorded: Arc<AtomicBool>,
}

impl Subject {
    /// What is known of every outcome.
    pub(crate) fn outcome(&self) -> Outcome {
        let (identity, hidden) = (self.identity.as_ref(), &self.hidden);
        Outcome {
            action: self.action,
            user: identity
                .and_then(|identity| hidden.show(&HiddenField::User, identity.user.clone())),
            groups: identity
                .and_then(|identity| hidden.show(&HiddenField::Groups, identity.groups.clone()))
                .unwrap_or_default(),
            credential: identity.map(|identity| identity.credential),
            issuer: identity.map(|identity| identity.issuer.clone()),
            source_address: hidden.show(&HiddenField::SourceAddress, self.source_address),
            reason: hidden
                .show(&HiddenField::Reason, self.reason.clone())
                .flatten(),
            target: self.target.clone(),
            checkpoint_id: self.checkpoint_id,
            hidden: hidden.fields(),
            duration_us: microseconds(self.since.elapsed()),
            ..Outcome::default()
        }
    }

    /// The same of one that is an error.
    pub(crate) fn failed(&self, error: &Error) -> Outcome {
        let answer = error.answer();
        Outcome {
            status: answer.status.as_u16(),
            code: Some(answer.code.to_owned()),
            message: Some(gateway_core::one_line(&error.to_string(), MESSAGE_MAX)),
            ..self.outcome()
        }
    }

    /// Writes down how it ended, durably.
    ///
    /// # Errors
    /// It is counted and logged here; what is lost is the record, never what it is about.
    pub(crate) async fn close(
        &self,
        cx: &Context,
        outcome: Outcome,
    ) -> Result<(), gateway_audit::Error> {
        self.recorded.store(true, Ordering::Relaxed);
        let written = cx
            .audit
            .write(self.record(Event::Outcome(Box::new(fitting(outcome)))));
        let written = written.instrument(info_span!(
            "audit",
            checkpoint_gateway.audit.event = "outcome"
        ));
        written.await.inspect_err(|lost| {
            cx.metrics.audit_failures.inc();
            error!(
                cause = cause(lost),
                "the outcome of a request is not in the audit log"
            );
        })
    }

    /// Writes down what is about to be done, durably.
    ///
    /// # Errors
    /// Any error means: do not do it.
    pub(crate) async fn intend(&self, cx: &Context, event: Event) -> Result<Intent, Error> {
        let record = self.record(event);
        if length(&record) > Record::LONGEST {
            return Err(Error::Unrecordable);
        }
        let written = cx.audit.write_intent(record).instrument(info_span!(
            "audit",
            checkpoint_gateway.audit.event = "intent"
        ));
        Ok(written.await.inspect_err(|_| {
            cx.metrics.audit_failures.inc();
        })?)
    }

    fn record(&self, event: Event) -> Record {
        Record {
            schema: Record::SCHEMA,
            at: Timestamp::now(),
            request_id: self.request_id,
            trace_id: self.trace_id,
            event,
        }
    }
}

/// What is about to be done, as the log is told it.
pub(crate) fn intent(
    request: &Request,
    hidden: &Hidden,
    verdicts: Vec<Verdict>,
    plan: PlanRecord,
    checkpoint_id: CheckpointId,
) -> Event {
    let identity = &request.identity;
    Event::Intent {
        action: request.action,
        user: hidden.show(&HiddenField::User, identity.user.clone()),
        groups: hidden
            .show(&HiddenField::Groups, identity.groups.clone())
            .unwrap_or_default(),
        credential: identity.credential,
        issuer: identity.issuer.clone(),
        source_address: hidden.show(&HiddenField::SourceAddress, request.source_address),
        reason: hidden
            .show(&HiddenField::Reason, request.reason.clone())
            .flatten(),
        target: request.target.target.clone(),
        container_id: request.target.id.clone(),
        verdicts: hidden.verdicts(verdicts),
        plan,
        checkpoint_id,
        request: Some(RequestRecord::of(request, &hidden.fields())),
    }
}

/// Leaves something of an outcome out.
type Cut = fn(&mut Outcome);

/// `outcome` within the bounds of a record. What is largest and can be found elsewhere goes first: a denial must be on
/// record, whatever the labels of the container.
fn fitting(mut outcome: Outcome) -> Outcome {
    let cuts: [(&str, Cut); 5] = [
        ("request", |outcome| outcome.request = None),
        ("verdicts", |outcome| {
            outcome.verdicts.iter_mut().for_each(shorten)
        }),
        ("redaction", |outcome| outcome.redaction = None),
        ("plan", |outcome| {
            outcome.plan = PlanRecord {
                sha256: std::mem::take(&mut outcome.plan.sha256),
                ..PlanRecord::default()
            };
        }),
        ("groups", |outcome| outcome.groups.clear()),
    ];
    for (name, cut) in cuts {
        // The record's own fields are far shorter than what is kept free here.
        if length(&outcome) <= Record::LONGEST - 1024 {
            break;
        }
        cut(&mut outcome);
        outcome.omitted.push(name.to_owned());
    }
    outcome
}

/// Leaves of a verdict what it is, without the policy's own words.
pub(crate) fn shorten(verdict: &mut Verdict) {
    verdict.annotations.clear();
    if let Decision::Deny(denial) = &mut verdict.decision {
        denial.message.clear();
    }
}

/// How long `value` is as JSON, in bytes.
fn length(value: &impl serde::Serialize) -> usize {
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
    let mut counter = Counter(0);
    // Counting never fails; what is no JSON is too long for every bound.
    serde_json::to_writer(&mut counter, value).map_or(usize::MAX, |()| counter.0)
}

pub(crate) fn microseconds(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::Denial;

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
    fn an_outcome_that_fits_is_left_as_it_is() {
        assert_eq!(fitting(outcome(1000, 1000)), outcome(1000, 1000));
    }

    #[test]
    fn one_that_is_too_long_loses_what_is_large_and_says_so() {
        let cut = fitting(outcome(600_000, 1000));
        assert_eq!(
            (cut.omitted.as_slice(), cut.request.is_none()),
            (&["request".to_owned()][..], true)
        );
        assert_eq!(
            cut.verdicts,
            outcome(0, 1000).verdicts,
            "what was decided stays"
        );
        let cut = fitting(outcome(10, 2_000_000));
        assert_eq!(cut.omitted, ["request", "verdicts"]);
        assert_eq!((cut.status, cut.verdicts[0].policy.as_str()), (403, "p"));
        assert!(length(&cut) < Record::LONGEST);
    }
}
