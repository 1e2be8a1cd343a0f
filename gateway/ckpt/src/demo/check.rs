use std::collections::BTreeSet;

use anyhow::{Result, anyhow, ensure};
use gateway_core::{Event, Record};
use opentelemetry_sdk::trace::SpanData;
use serde_json::Value;

use super::archive::Archive;
use super::client::Answer;
use super::{Round, spans, stage, tree};

/// The spans that the trace of a checkpoint has below the request's own.
const STAGES: [&str; 7] = [
    "authn",
    "resolve",
    "policy",
    "redaction plan",
    "audit",
    "cri",
    "archive",
];
/// The members that every archive has.
const MEMBERS: [&str; 5] = [
    "checkpoint/inventory.img",
    "checkpoint/pstree.img",
    "checkpoint/pages-1.img",
    "config.dump",
    "spec.dump",
];

/// Something that the demo claims, and what came of looking.
pub(super) struct Check {
    pub(super) what: &'static str,
    pub(super) result: Result<()>,
}

impl Check {
    pub(super) fn passed(&self) -> bool {
        self.result.is_ok()
    }
}

/// Every claim, checked.
pub(super) fn all(round: &Round) -> Vec<Check> {
    let check = |what, result| Check { what, result };
    let of_archive = |look: fn(&Archive) -> Result<()>| match &round.archive {
        Ok(archive) => look(archive),
        Err(error) => Err(anyhow!("{error:#}")),
    };
    vec![
        check(
            "alice, whom the allow list names, got her checkpoint",
            allowed(&round.alice),
        ),
        check(
            "mallory, whom it does not name, got 403 and the reason",
            denied(&round.mallory),
        ),
        check(
            "the responder's certificate was proof of who they are",
            known(&round.responder),
        ),
        check(
            "one checkpoint reached the runtime: alice's",
            one_call(round.checkpoint_calls),
        ),
        check("the container runs on", runs(round.process_state)),
        check(
            "the archive is its owner's alone (0600 in a 0700 folder)",
            of_archive(private),
        ),
        check(
            "the archive has the digest that its metadata tells",
            of_archive(digest),
        ),
        check(
            "the archive has the members of a checkpoint",
            of_archive(members),
        ),
        check(
            "the secret was in its memory and its specification, and is in no member now",
            of_archive(secret),
        ),
        check(
            "one trace shows every stage of alice's request",
            traced(&round.alice, &round.trace),
        ),
        check(
            "the audit log has intent and outcome, and the denial",
            audited(round),
        ),
    ]
}

fn allowed(answer: &Answer) -> Result<()> {
    let hint = match answer.status {
        // What most often keeps an ordinary user's program from reading its own child's memory.
        500 => {
            "; if the runtime may not read its child's memory, see `sysctl kernel.yama.ptrace_scope`"
        }
        507 => "; set TMPDIR to a folder with more room",
        _ => "",
    };
    ensure!(answer.status == 200, "{}{hint}", answer.told());
    Ok(())
}

fn denied(answer: &Answer) -> Result<()> {
    ensure!(
        answer.status == 403 && answer.code() == Some("denied"),
        "{}",
        answer.told()
    );
    ensure!(
        answer.content_type == "application/problem+json",
        "it came as {}",
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
        answer.told()
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
    let told = &archive.metadata;
    ensure!(
        told.sha256 == archive.sha256,
        "{} told, {} found",
        told.sha256,
        archive.sha256
    );
    ensure!(
        told.bytes == archive.bytes,
        "{} bytes told, {} found",
        told.bytes,
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
    ensure!(missing.is_empty(), "there is no {}", missing.join(", "));
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
        ensure!(hidden, "nothing was hidden in the {place}");
    }
    Ok(())
}

fn traced(alice: &Answer, trace: &[SpanData]) -> Result<()> {
    ensure!(alice.trace_id.is_some(), "the answer names no trace");
    let missing: Vec<_> = STAGES
        .into_iter()
        .filter(|stage| !trace.iter().any(|span| span.name == *stage))
        .collect();
    ensure!(
        missing.is_empty(),
        "there is no span {}",
        missing.join(", ")
    );
    ensure!(
        trace.iter().any(spans::is_top),
        "there is no span of the request itself"
    );
    let loose = trace
        .iter()
        .find(|span| !spans::is_top(span) && tree::parent(span, trace).is_none());
    ensure!(
        loose.is_none(),
        "the span {} hangs under nothing",
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
