//! Describes the errors of each operation.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::{Value, json};

use super::headers;
use super::schemas::reference;
use crate::operation::Operation;
use crate::reply::Problem;
use crate::{Error, Listed};

/// The errors that `operation` can answer, by status.
pub(super) fn of(operation: Operation) -> impl Iterator<Item = (StatusCode, Value)> {
    let mut statuses = BTreeMap::<_, Vec<_>>::new();
    let answers = Error::ANSWERS.iter();
    for listed in answers.filter(|listed| listed.calls.contains(&operation)) {
        let status = listed.answer.status;
        statuses.entry(status).or_default().push(listed);
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
    let reason = status.canonical_reason().unwrap_or_default();
    let mut schema = reference::<Problem<'_>>();
    let narrowed = json!({ "status": { "const": status.as_u16() }, "code": { "enum": codes } });
    schema.insert("properties".to_owned(), narrowed);
    json!({
        "description": format!("{reason}\n\n{}", meanings.join("\n")),
        "headers": headers::with(&extra_headers(status, listed)),
        "content": { "application/problem+json": { "schema": schema } },
    })
}

fn extra_headers(status: StatusCode, listed: &[&Listed]) -> Vec<&'static str> {
    let mut headers = Vec::new();
    if listed
        .iter()
        .any(|listed| listed.answer.retry_after.is_some())
    {
        headers.push("Retry-After");
    }
    match status {
        StatusCode::UNAUTHORIZED => headers.push("WWW-Authenticate"),
        StatusCode::METHOD_NOT_ALLOWED => headers.push("Allow"),
        _ => {}
    }
    headers
}
