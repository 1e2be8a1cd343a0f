//! Checks the demo's claims.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow, ensure};
use gateway_core::{Event, Record};
use opentelemetry_sdk::trace::SpanData;
use serde_json::Value;

use super::archive::Archive;
use super::client::Answer;
use super::{Round, spans, stage, tree};

/// The spans that a checkpoint's trace has below the request's span.
const STAGES: [&str; 7] = [
    "authn",
    "resolve",
    "policy",
    "redaction plan",
    "audit",
    "cri",
    "archive",
];
/// The members of every archive.
const MEMBERS: [&str; 5] = [
    "checkpoint/inventory.img",
    "checkpoint/pstree.img",
    "checkpoint/pages-1.img",
    "config.dump",
    "spec.dump",
];

/// A claim of the demo, and whether it holds.
pub(super) struct Check {
    pub(super) claim: &'static str,
    pub(super) result: Result<()>,
}

impl Check {
    pub(super) fn passed(&self) -> bool {
        self.result.is_ok()
    }
}

/// Checks every claim.
pub(super) fn all(round: &Round) -> Vec<Check> {
    let check = |claim, result| Check { claim, result };
    let of_archive = |look: fn(&Archive) -> Result<()>| match &round.archive {
        Ok(archive) => look(archive),
        Err(error) => Err(anyhow!("{error:#}")),
    };
    vec![
        check(
            "alice, who is on the allow list, got her checkpoint",
            allowed(&round.alice),
        ),
        check(
            "mallory, who is not, got 403 and the reason",
            denied(&round.mallory),
        ),
        check(
            "the responder's certificate authenticated them",
            known(&round.responder),
        ),
        check(
            "only alice's checkpoint reached the runtime",
            one_call(round.checkpoint_calls),
        ),
        check("the container keeps running", runs(round.process_state)),
        check(
            "the archive is private (0600 in a 0700 folder)",
            of_archive(private),
        ),
        check(
            "the archive has the digest in its metadata",
            of_archive(digest),
        ),
        check(
            "the archive has the members of a checkpoint",
            of_archive(members),
        ),
        check(
            "the secret was in memory and specification, and is in no member now",
            of_archive(secret),
        ),
        check(
            "the trace has every stage of alice's request",
            traced(&round.alice, &round.trace),
        ),
        check(
            "the audit log has alice's intent and outcome, and mallory's denial",
            audited(round),
        ),
    ]
}

fn allowed(answer: &Answer) -> Result<()> {
    let hint = match answer.status {
        // The usual reason why a program cannot read its child's memory.
        500 => {
            "; if the runtime cannot read its child's memory, see `sysctl kernel.yama.ptrace_scope`"
        }
        507 => "; set TMPDIR to a folder with more space",
        _ => "",
    };
    ensure!(answer.status == 200, "{}{hint}", answer.in_short());
    Ok(())
}

fn denied(answer: &Answer) -> Result<()> {
    ensure!(
        answer.status == 403 && answer.code() == Some("denied"),
        "{}",
        answer.in_short()
    );
    ensure!(
        answer.content_type == "application/problem+json",
        "the content type is {}",
        answer.content_type
    );
    Ok(())
}

fn known(answer: &Answer) -> Result<()> {
    let user = answer
        .body
        .get("user")
        .and_then(Value::as_str)
        .unwrap_or_default();
    ensure!(
        answer.status == 200 && user == "responder",
        "{} {user}",
        answer.in_short()
    );
    Ok(())
}

fn one_call(calls: usize) -> Result<()> {
    ensure!(calls == 1, "{calls} reached it");
    Ok(())
}

fn runs(state: Option<char>) -> Result<()> {
    let state = state.ok_or_else(|| anyhow!("its process is gone"))?;
    ensure!(
        matches!(state, 'R' | 'S' | 'D'),
        "its process is in state {state}"
    );
    Ok(())
}

fn private(archive: &Archive) -> Result<()> {
    let (file, folder) = archive.modes;
    ensure!(
        (file, folder) == (0o600, 0o700),
        "the file has {file:04o}, its folder {folder:04o}"
    );
    Ok(())
}

fn digest(archive: &Archive) -> Result<()> {
    let metadata = &archive.metadata;
    ensure!(
        metadata.sha256 == archive.sha256,
        "the metadata says {}, the file has {}",
        metadata.sha256,
        archive.sha256
    );
    ensure!(
        metadata.bytes == archive.bytes,
        "the metadata says {} bytes, the file has {}",
        metadata.bytes,
        archive.bytes
    );
    Ok(())
}

fn members(archive: &Archive) -> Result<()> {
    let names: BTreeSet<_> = archive
        .members
        .iter()
        .map(|member| member.name.as_str())
        .collect();
    let missing: Vec<_> = MEMBERS
        .into_iter()
        .filter(|name| !names.contains(name))
        .collect();
    ensure!(missing.is_empty(), "missing: {}", missing.join(", "));
    Ok(())
}

fn secret(archive: &Archive) -> Result<()> {
    let copies = archive.copies(|_| true);
    ensure!(copies == 0, "{copies} copies are left");
    for place in ["memory", "spec"] {
        let hidden = archive
            .hidden()
            .flat_map(|(_, places)| places)
            .any(|(hidden, _)| hidden == place);
        ensure!(hidden, "nothing was masked in the {place}");
    }
    Ok(())
}

fn traced(alice: &Answer, trace: &[SpanData]) -> Result<()> {
    ensure!(alice.trace_id.is_some(), "the answer names no trace");
    let missing: Vec<_> = STAGES
        .into_iter()
        .filter(|stage| !trace.iter().any(|span| span.name == *stage))
        .collect();
    ensure!(missing.is_empty(), "missing spans: {}", missing.join(", "));
    ensure!(
        trace.iter().any(spans::is_top),
        "the request's own span is missing"
    );
    let loose = trace
        .iter()
        .find(|span| !spans::is_top(span) && tree::parent(span, trace).is_none());
    ensure!(
        loose.is_none(),
        "the span {} has no parent",
        loose.map_or("", |span| &span.name)
    );
    Ok(())
}

fn audited(round: &Round) -> Result<()> {
    let log = round.audit.as_ref().map_err(|error| anyhow!("{error:#}"))?;
    let intent = position(
        log,
        |event| matches!(event, Event::Intent { user, target, .. } if user.as_deref() == Some("alice") && target.to_string() == stage::TARGET),
    );
    let sha256 = round
        .archive
        .as_ref()
        .ok()
        .map(|archive| archive.sha256.as_str());
    let outcome = position(log, |event| {
        matches!(event, Event::Outcome(outcome)
            if outcome.user.as_deref() == Some("alice") && outcome.status == 200 && outcome.sha256.as_deref() == sha256)
    });
    let denial = position(log, |event| {
        matches!(event, Event::Outcome(outcome)
            if outcome.user.as_deref() == Some("mallory") && outcome.status == 403)
    });
    let (intent, outcome) = intent
        .zip(outcome)
        .ok_or_else(|| anyhow!("alice's intent or her outcome is missing"))?;
    ensure!(intent < outcome, "the outcome comes before the intent");
    ensure!(denial.is_some(), "mallory's denial is missing");
    Ok(())
}

fn position(log: &[Record], fits: impl Fn(&Event) -> bool) -> Option<usize> {
    log.iter().position(|record| fits(&record.event))
}
