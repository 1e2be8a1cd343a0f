//! Explains records in sentences.

use std::collections::BTreeMap;

use gateway_core::{
    Action, CredentialKind, Decision, Event, HiddenField, Outcome, PlanRecord, Record, RequestId,
    Verdict,
};

use super::record_view::RecordView;
use crate::output::print;
use crate::printable::printable;
use indicatif::BinaryBytes;

/// The widest text from a record, in columns.
const TEXT: usize = 300;

/// Prints `records` request by request, in their order.
pub(super) fn explain(records: &[&Record]) {
    let mut requests: Vec<(RequestId, Vec<&Record>)> = Vec::new();
    let mut positions = BTreeMap::new();
    for record in records {
        let at = *positions.entry(record.request_id).or_insert(requests.len());
        match requests.get_mut(at) {
            Some((_, of_request)) => of_request.push(record),
            None => requests.push((record.request_id, vec![record])),
        }
    }
    for (number, (id, records)) in requests.iter().enumerate() {
        if number > 0 {
            print("");
        }
        request(*id, records);
    }
}

fn request(id: RequestId, records: &[&Record]) {
    let trace = records.iter().find_map(|record| record.trace_id);
    let trace = trace
        .map(|trace| format!(", trace {trace}"))
        .unwrap_or_default();
    print(format_args!("Request {id}{trace}"));
    for (number, record) in records.iter().enumerate() {
        let first = number == 0;
        match &record.event {
            Event::Intent { .. } => {
                request_line(record);
                decision(&RecordView::of(record));
                print("  The intent was on disk before the runtime was called.");
            }
            Event::Outcome(outcome) => {
                if first {
                    request_line(record);
                    decision(&RecordView::of(record));
                }
                result(record, outcome);
            }
            Event::Removed {
                target,
                checkpoint_id,
                bytes,
                ..
            } => print(format_args!(
                "  At {} the gateway removed the checkpoint {checkpoint_id} of {target} ({}): {}.",
                record.at,
                BinaryBytes(*bytes),
                RecordView::of(record).detail
            )),
            Event::Shadow { verdicts, .. } => {
                print(format_args!(
                    "  The shadow policies decide otherwise: {}.",
                    RecordView::of(record).detail
                ));
                verdicts.iter().for_each(verdict);
            }
            Event::Head(_) | Event::Key(_) | Event::KeyRemoved(_) | Event::Segment(_) => {
                print(format_args!(
                    "  At {} the log recorded: {}.",
                    record.at,
                    record.event.as_str()
                ));
            }
        }
    }
}

fn request_line(record: &Record) {
    let view = RecordView::of(record);
    let user = match view.user {
        Some(user) => printable(user, TEXT),
        None if view.hidden.contains(&HiddenField::User) => "A user whom the plan hides".to_owned(),
        None => "An unauthenticated caller".to_owned(),
    };
    let target = view
        .target
        .map(|target| format!(" of {target}"))
        .unwrap_or_default();
    let what = view.action.map_or(
        "made a request that policies do not decide",
        action_in_words,
    );
    print(format_args!(
        "  At {} {user}{} {what}{target}{}.",
        record.at,
        caller(record),
        reason(record)
    ));
}

fn action_in_words(action: Action) -> &'static str {
    match action {
        Action::Create => "asked for a checkpoint",
        Action::List => "asked for the list of checkpoints",
        Action::Inspect => "asked to inspect a checkpoint",
        Action::Download => "asked to download a checkpoint",
        Action::DownloadOriginal => "asked to download the original of a checkpoint",
        Action::Hold => "asked to hold or release a checkpoint",
        Action::Delete => "asked to delete a checkpoint",
    }
}

fn caller(record: &Record) -> String {
    let (groups, credential, issuer, address) = match &record.event {
        Event::Intent {
            groups,
            credential,
            issuer,
            source_address,
            ..
        } => (groups, Some(*credential), Some(issuer), source_address),
        Event::Outcome(outcome) => (
            &outcome.groups,
            outcome.credential,
            outcome.issuer.as_ref(),
            &outcome.source_address,
        ),
        _ => return String::new(),
    };
    let mut parts = Vec::new();
    if !groups.is_empty() {
        parts.push(format!("of {}", printable(&groups.join(", "), TEXT)));
    }
    if let (Some(credential), Some(issuer)) = (credential, issuer) {
        let kind = match credential {
            CredentialKind::BearerToken => "a token",
            CredentialKind::ClientCertificate => "a certificate",
        };
        parts.push(format!("with {kind} of {}", printable(issuer, TEXT)));
    }
    parts.extend(address.map(|address| format!("from {address}")));
    if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join(", "))
    }
}

fn reason(record: &Record) -> String {
    let reason = match &record.event {
        Event::Intent { reason, .. } => reason.as_ref(),
        Event::Outcome(outcome) => outcome.reason.as_ref(),
        _ => None,
    };
    reason
        .map(|reason| format!(" for the reason \"{}\"", printable(reason, TEXT)))
        .unwrap_or_default()
}

fn decision(view: &RecordView<'_>) {
    view.verdicts.iter().for_each(verdict);
    match gateway_policy::decide(view.verdicts) {
        _ if view.verdicts.is_empty() => print("  No policy was asked."),
        Ok(()) => print("  Decision: allowed, since a policy allows it and none denies it."),
        Err((policy, _)) if policy.is_empty() => {
            print("  Decision: denied, since no policy allows it.");
        }
        Err((policy, _)) => print(format_args!(
            "  Decision: denied by {}.",
            printable(&policy, TEXT)
        )),
    }
    view.plan.iter().for_each(|record| plan(record));
    if !view.hidden.is_empty() {
        print(format_args!(
            "  The records leave out: {}.",
            printable(&joined(view.hidden), TEXT)
        ));
    }
    if !view.masked.is_empty() {
        print(format_args!(
            "  Secrets are masked in: {}.",
            printable(&view.masked.join(", "), TEXT)
        ));
    }
}

fn joined(fields: &[HiddenField]) -> String {
    let names: Vec<_> = fields.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn verdict(verdict: &Verdict) {
    let Verdict {
        policy,
        digest,
        generation,
        decision,
        monitored,
        ..
    } = verdict;
    let said = match decision {
        Decision::Allow => "allows it".to_owned(),
        Decision::Abstain => "abstains".to_owned(),
        Decision::Deny(denial) => format!("denies it ({}): {}", denial.code, denial.message),
    };
    let digest = digest
        .as_ref()
        .map_or("no digest".to_owned(), |digest| format!("sha256 {digest}"));
    let monitored = if *monitored {
        " (monitor only: not enforced)"
    } else {
        ""
    };
    let line = format!("{policy} ({digest}, generation {generation}) {said}{monitored}");
    print(format_args!("  - {}", printable(&line, 2 * TEXT)));
}

fn plan(plan: &PlanRecord) {
    if plan.sha256.is_empty() {
        return;
    }
    let part = |what: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("{what} {}", printable(&names.join(", "), TEXT)))
    };
    let parts = [part("masked", &plan.mask), part("removed", &plan.drop)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let parts = if parts.is_empty() {
        "nothing in the archive".to_owned()
    } else {
        parts.join("; ")
    };
    print(format_args!(
        "  Redaction plan {}: {parts}.",
        printable(&plan.sha256, 64)
    ));
}

fn result(record: &Record, outcome: &Outcome) {
    let action = outcome.action.map_or("call", Action::as_str);
    let code = outcome
        .code
        .as_ref()
        .map(|code| format!(", {}", printable(code, TEXT)))
        .unwrap_or_default();
    let took = outcome.duration_us.div_ceil(1000);
    print(match outcome.status {
        0 => {
            format!("  The result is unknown{code}: the gateway ended before it could record one.")
        }
        status => format!(
            "  Ended at {} with {status}{code} after {took} ms ({action}).",
            record.at
        ),
    });
    if let Some(message) = &outcome.message {
        print(format_args!(
            "  Message to the caller: {}",
            printable(message, TEXT)
        ));
    }
    if let Some(id) = outcome.checkpoint_id {
        let bytes = outcome
            .bytes
            .map(|bytes| format!(", {}", BinaryBytes(bytes)))
            .unwrap_or_default();
        let digest = outcome
            .sha256
            .as_ref()
            .map(|digest| format!(", sha256 {}", printable(digest, 64)));
        print(format_args!(
            "  Checkpoint {id}{bytes}{}.",
            digest.unwrap_or_default()
        ));
    }
    findings(outcome);
    if let Some(listed) = outcome.listed {
        print(format_args!(
            "  Policies were asked about {} checkpoints; {} were listed.",
            listed.asked, listed.shown
        ));
    }
    if outcome.suppressed > 0 {
        print(format_args!(
            "  {} requests before it have no record (rate limit).",
            outcome.suppressed
        ));
    }
    told_before(outcome);
    if !outcome.omitted.is_empty() {
        print(format_args!(
            "  The record was too long; it lacks: {}.",
            outcome.omitted.join(", ")
        ));
    }
}

fn findings(outcome: &Outcome) {
    for finding in &outcome.findings {
        let severity = if finding.is_fatal() {
            "Fatal"
        } else {
            "Noteworthy"
        };
        let text = printable(&finding.to_string(), TEXT);
        print(format_args!(
            "  {severity} finding about the archive: {text}."
        ));
    }
}

fn told_before(outcome: &Outcome) {
    if !outcome.told_before.is_empty() {
        print(format_args!(
            "  The intent shows a secret that only the archive taught, in: {}.",
            printable(&outcome.told_before.join(", "), TEXT)
        ));
    }
}
