use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::{Value, json};

use super::headers;
use super::schemas::{constant, object, text, trace_id, uuid};
use crate::operation::Operation;
use crate::{Error, Listed};

/// What a call can be answered where it does not get what it asked for, by status.
pub(super) fn of(operation: Operation) -> impl Iterator<Item = (StatusCode, Value)> {
    let mut statuses = BTreeMap::<_, Vec<_>>::new();
    for listed in Error::ANSWERS
        .iter()
        .filter(|listed| listed.calls.contains(&operation))
    {
        statuses
            .entry(listed.answer.status)
            .or_default()
            .push(listed);
    }
    statuses
        .into_iter()
        .map(|(status, listed)| (status, response(status, &listed)))
}

fn response(status: StatusCode, listed: &[&Listed]) -> Value {
    let codes: BTreeSet<_> = listed.iter().map(|listed| listed.answer.code).collect();
    let meanings: Vec<_> = listed
        .iter()
        .map(|listed| format!("- `{}`: {}", listed.answer.code, listed.meaning))
        .collect();
    let mut more = Vec::new();
    if listed
        .iter()
        .any(|listed| listed.answer.retry_after.is_some())
    {
        more.push("Retry-After");
    }
    match status {
        StatusCode::UNAUTHORIZED => more.push("WWW-Authenticate"),
        StatusCode::METHOD_NOT_ALLOWED => more.push("Allow"),
        _ => {}
    }
    json!({
        "description": format!("{}\n\n{}", status.canonical_reason().unwrap_or_default(), meanings.join("\n")),
        "headers": headers::with(&more),
        "content": { "application/problem+json": { "schema": {
            "$ref": "#/components/schemas/Problem",
            "properties": { "status": { "const": status.as_u16() }, "code": { "enum": codes } },
        } } },
    })
}

/// Any problem, with every code that there is. Each answer says which of them it may be.
pub(super) fn schema() -> Value {
    let codes: BTreeSet<_> = Error::ANSWERS
        .iter()
        .map(|listed| listed.answer.code)
        .collect();
    let properties = json!({
        "type": constant("about:blank"),
        "title": text("The status' own words."),
        "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status." },
        "detail": text("What happened, for a person; the kubelet's words where it has some."),
        "code": { "type": "string", "enum": codes, "description": "What happened, for a program: stable." },
        "request_id": uuid("The request, as in `x-request-id`."),
        "trace_id": trace_id("Its trace, as in `x-trace-id`."),
        "denial": text("The denying policy's own code. Only where `code` is `denied`."),
        "policy": text("The denying policy. Only where `code` is `denied`, and a policy said no."),
        "checkpoint_id": uuid("What will be stored. Only where `code` is `wait-over`."),
    });
    object(
        "Problem details (RFC 9457).",
        properties,
        &["trace_id", "denial", "policy", "checkpoint_id"],
    )
}
