//! Records in sentences.

use std::collections::BTreeMap;

use gateway_core::{
    Action, CredentialKind, Decision, Event, HiddenField, Outcome, PlanRecord, Record, RequestId,
    Verdict,
};

use super::facts::Facts;
use crate::output::print;
use crate::size::size;
use crate::terminal::shown;

/// The most characters of what others have written.
const TEXT: usize = 300;

/// Tells of `records` request by request, in their order.
pub(super) fn tell(records: &[&Record]) {
    let mut requests: Vec<(RequestId, Vec<&Record>)> = Vec::new();
    let mut places = BTreeMap::new();
    for record in records {
        let at = *places.entry(record.request_id).or_insert(requests.len());
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
                asked(record);
                judged(&Facts::of(record));
                print("  It was written down before anything was done.");
            }
            Event::Outcome(outcome) => {
                if first {
                    asked(record);
                    judged(&Facts::of(record));
                }
                ended(record, outcome);
            }
            Event::Removed {
                target,
                checkpoint_id,
                bytes,
                ..
            } => print(format_args!(
                "  At {} the gateway itself removed the checkpoint {checkpoint_id} of {target} ({}): {}.",
                record.at,
                size(*bytes),
                Facts::of(record).detail
            )),
            Event::Shadow { verdicts, .. } => {
                print(format_args!(
                    "  The policies that are only tried out differ: {}.",
                    Facts::of(record).detail
                ));
                verdicts.iter().for_each(verdict);
            }
            Event::Head(_) | Event::Key(_) | Event::KeyRemoved(_) | Event::Segment(_) => {
                print(format_args!(
                    "  At {} the log wrote of itself: {}.",
                    record.at,
                    record.event.as_str()
                ));
            }
        }
    }
}

fn asked(record: &Record) {
    let facts = Facts::of(record);
    let user = match facts.user {
        Some(user) => shown(user, TEXT),
        None if facts.hidden.iter().any(|field| *field == HiddenField::User) => {
            "Somebody whom the plan hides".to_owned()
        }
        None => "Somebody who proved nothing".to_owned(),
    };
    let target = facts
        .target
        .map(|target| format!(" of {target}"))
        .unwrap_or_default();
    let what = facts
        .action
        .map_or("made a call that policies do not judge", wanted);
    print(format_args!(
        "  At {} {user}{} {what}{target}{}.",
        record.at,
        who(record),
        why(record)
    ));
}

fn wanted(action: Action) -> &'static str {
    match action {
        Action::Create => "asked for a checkpoint",
        Action::List => "asked which checkpoints there are",
        Action::Inspect => "asked to inspect a checkpoint",
        Action::Download => "asked to download a checkpoint",
        Action::DownloadOriginal => "asked to download the original of a checkpoint",
        Action::Hold => "asked to pin a checkpoint, or to let it go,",
        Action::Delete => "asked to delete a checkpoint",
    }
}

fn who(record: &Record) -> String {
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
        parts.push(format!("of {}", shown(&groups.join(", "), TEXT)));
    }
    if let (Some(credential), Some(issuer)) = (credential, issuer) {
        let kind = match credential {
            CredentialKind::BearerToken => "a token",
            CredentialKind::ClientCertificate => "a certificate",
        };
        parts.push(format!("with {kind} of {}", shown(issuer, TEXT)));
    }
    parts.extend(address.map(|address| format!("from {address}")));
    if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join(", "))
    }
}

fn why(record: &Record) -> String {
    let reason = match &record.event {
        Event::Intent { reason, .. } => reason.as_ref(),
        Event::Outcome(outcome) => outcome.reason.as_ref(),
        _ => None,
    };
    reason
        .map(|reason| format!(", saying \"{}\"", shown(reason, TEXT)))
        .unwrap_or_default()
}

fn judged(facts: &Facts<'_>) {
    facts.verdicts.iter().for_each(verdict);
    match gateway_policy::decide(facts.verdicts) {
        _ if facts.verdicts.is_empty() => print("  No policy was asked."),
        Ok(()) => print("  So it was allowed: one policy allows it, and none denies it."),
        Err((policy, _)) if policy.is_empty() => print("  So it was denied: no policy allows it."),
        Err((policy, _)) => print(format_args!(
            "  So it was denied, by {}.",
            shown(&policy, TEXT)
        )),
    }
    facts.plan.iter().for_each(|plan| hidden(plan));
    if !facts.hidden.is_empty() {
        print(format_args!(
            "  These records do not tell its {}.",
            shown(&joined(facts.hidden), TEXT)
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
        Decision::Abstain => "has no opinion".to_owned(),
        Decision::Deny(denial) => format!("denies it ({}): {}", denial.code, denial.message),
    };
    let digest = digest
        .as_ref()
        .map_or("built in or not loaded".to_owned(), |digest| {
            format!("sha256 {digest}")
        });
    let monitored = if *monitored {
        ", which is only recorded"
    } else {
        ""
    };
    let line = format!("{policy} ({digest}, generation {generation}) {said}{monitored}");
    print(format_args!("  - {}", shown(&line, 2 * TEXT)));
}

fn hidden(plan: &PlanRecord) {
    if plan.sha256.is_empty() {
        return;
    }
    let part = |what: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("{what} {}", shown(&names.join(", "), TEXT)))
    };
    let parts = [part("masked", &plan.mask), part("left out", &plan.drop)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let parts = if parts.is_empty() {
        "nothing of the archive".to_owned()
    } else {
        parts.join("; ")
    };
    print(format_args!(
        "  The redaction plan {} hides: {parts}.",
        shown(&plan.sha256, 64)
    ));
}

fn ended(record: &Record, outcome: &Outcome) {
    let action = outcome.action.map_or("call", Action::as_str);
    let code = outcome
        .code
        .as_ref()
        .map(|code| format!(", {}", shown(code, TEXT)))
        .unwrap_or_default();
    let took = outcome.duration_us.div_ceil(1000);
    print(match outcome.status {
        0 => format!(
            "  How it ended is not known{code}: the gateway was gone before it could be written down."
        ),
        status => format!(
            "  It ended at {} with {status}{code}, after {took} ms ({action}).",
            record.at
        ),
    });
    if let Some(message) = &outcome.message {
        print(format_args!(
            "  The caller was told: {}",
            shown(message, TEXT)
        ));
    }
    if let Some(id) = outcome.checkpoint_id {
        let bytes = outcome
            .bytes
            .map(|bytes| format!(", {}", size(bytes)))
            .unwrap_or_default();
        let digest = outcome
            .sha256
            .as_ref()
            .map(|digest| format!(", sha256 {}", shown(digest, 64)));
        print(format_args!(
            "  Checkpoint {id}{bytes}{}.",
            digest.unwrap_or_default()
        ));
    }
    if let Some(listed) = outcome.listed {
        print(format_args!(
            "  Policies were asked about {} checkpoints; {} were shown.",
            listed.asked, listed.shown
        ));
    }
    if outcome.suppressed > 0 {
        print(format_args!(
            "  {} like it were left out before.",
            outcome.suppressed
        ));
    }
    if !outcome.omitted.is_empty() {
        print(format_args!(
            "  The record was too long and lacks its {}.",
            outcome.omitted.join(", ")
        ));
    }
}
