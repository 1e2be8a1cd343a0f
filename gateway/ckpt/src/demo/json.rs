//! The demo's results as JSON.

use serde_json::{Value, json};

use opentelemetry_sdk::trace::SpanData;

use super::archive::Archive;
use super::check::Check;
use super::client::Answer;
use super::stage::Stage;
use super::{Round, tree};

/// The results as one JSON object, without the secret, tokens and keys.
pub(super) fn round(stage: &Stage, round: &Round, checks: &[Check]) -> Value {
    json!({
        "ok": checks.iter().all(Check::passed),
        "checks": checks.iter().map(check).collect::<Vec<_>>(),
        "answers": [answer(&round.alice), answer(&round.mallory), answer(&round.responder)],
        "archive": round.archive.as_ref().ok().map(archive),
        "audit": round.audit.as_ref().ok(),
        "checkpoint_calls": round.checkpoint_calls,
        "trace": {
            "id": round.alice.trace_id,
            "spans": round.trace.iter().map(|one| span(one, &round.trace)).collect::<Vec<_>>(),
        },
        "address": stage.address,
        "admin_address": stage.admin,
        "folder": stage.folder(),
        "seconds": round.took.as_secs_f64(),
    })
}

fn check(check: &Check) -> Value {
    let why = check
        .result
        .as_ref()
        .err()
        .map(|error| format!("{error:#}"));
    json!({ "what": check.claim, "ok": check.passed(), "why": why })
}

fn answer(answer: &Answer) -> Value {
    json!({
        "request": answer.request,
        "status": answer.status,
        "content_type": answer.content_type,
        "body": answer.body,
        "seconds": answer.took.as_secs_f64(),
    })
}

fn archive(archive: &Archive) -> Value {
    let members = archive.members.iter().map(
        |member| json!({ "name": member.name, "bytes": member.bytes, "copies_of_the_secret": member.copies }),
    );
    json!({
        "metadata": archive.metadata,
        "sha256_found": archive.sha256,
        "members": members.collect::<Vec<_>>(),
        "copies_of_the_secret": archive.copies(|_| true),
    })
}

fn span(span: &SpanData, trace: &[SpanData]) -> Value {
    let after = trace.iter().map(|span| span.start_time).min();
    let after = after
        .map(|first| tree::between(first, span.start_time))
        .unwrap_or_default();
    json!({
        "name": span.name,
        "parent": tree::parent(span, trace).map(|parent| &parent.name),
        "after_seconds": after.as_secs_f64(),
        "seconds": tree::duration(span).as_secs_f64(),
    })
}
