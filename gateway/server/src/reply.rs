//! Answers: JSON, or a problem of RFC 9457.

use std::collections::BTreeSet;

use bytes::Bytes;
use gateway_core::{CheckpointId, Finding, RequestId, TraceId};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Error;
use crate::bodies::Accepted;
use crate::request_ids::RequestIds;
use crate::visible_request::VisibleRequest;

/// The body of an answer: most are in memory, archives are read while they are sent.
pub(crate) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// The `type` of a problem that is fully described by its other fields.
const BLANK: &str = "about:blank";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// Problem details (RFC 9457).
#[derive(Serialize, JsonSchema)]
pub(crate) struct Problem<'a> {
    /// The title is that of the status, and `code` names the error.
    #[schemars(extend("const" = BLANK))]
    r#type: &'static str,
    /// The HTTP status in words.
    title: &'a str,
    /// The HTTP status.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// The error, for people. Where the kubelet has a text for it, that text.
    detail: &'a str,
    /// The error, for programs: stable.
    #[schemars(extend("enum" = codes()))]
    code: &'a str,
    /// The request's id, as in `x-request-id`.
    request_id: RequestId,
    /// The request's trace, as in `x-trace-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<TraceId>,
    /// The denying policy's own code. Only if `code` is `denied`.
    #[serde(skip_serializing_if = "Option::is_none")]
    denial: Option<&'a str>,
    /// The denying policy. Only if `code` is `denied`, and a policy denied the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    /// The findings about the archive that the runtime wrote, the fatal ones first. Only if `code` is `archive-incomplete`.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    findings: &'a [Finding],
    /// The future checkpoint's id. Only if `code` is `wait-over`.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_id: Option<CheckpointId>,
}

/// Every code that an error can have.
fn codes() -> BTreeSet<&'static str> {
    let answers = Error::ANSWERS.iter();
    answers.map(|listed| listed.answer.code).collect()
}

pub(crate) fn json(value: &impl Serialize) -> Result<Response<Body>, Error> {
    let body = serde_json::to_vec(value).map_err(|_| Error::Internal)?;
    Ok(answer(StatusCode::OK, "application/json", body))
}

pub(crate) fn text(status: StatusCode, text: String) -> Response<Body> {
    answer(status, "text/plain; charset=utf-8", text.into_bytes())
}

pub(crate) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
) -> Response<Body> {
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 202: all checks have passed. `Location` is the checkpoint's future URL (RFC 7240, section 4.1).
pub(crate) fn accepted(id: CheckpointId) -> Result<Response<Body>, Error> {
    let mut response = json(&Accepted { id })?;
    *response.status_mut() = StatusCode::ACCEPTED;
    let location =
        HeaderValue::try_from(format!("/v1/checkpoints/{id}")).map_err(|_| Error::Internal)?;
    response.headers_mut().insert(LOCATION, location);
    let applied = HeaderName::from_static("preference-applied");
    response
        .headers_mut()
        .insert(applied, HeaderValue::from_static("respond-async"));
    Ok(response)
}

/// An answer without a body and without a content type.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = answer(status, "", Vec::new());
    response.headers_mut().remove(CONTENT_TYPE);
    response
}

pub(crate) fn problem(error: &Error, ids: RequestIds, visible: &VisibleRequest) -> Response<Body> {
    let answered = error.answer();
    // A policy or the runtime may quote a label or a command line.
    let detail = visible.text(&error.to_string());
    let findings = visible.findings(error.findings());
    let (policy, denial) = match error {
        Error::Denied { policy, denial } => (Some(policy.as_str()), Some(denial.code.as_str())),
        _ => (None, None),
    };
    let problem = Problem {
        r#type: BLANK,
        title: answered.status.canonical_reason().unwrap_or_default(),
        status: answered.status.as_u16(),
        detail: &detail,
        code: answered.code,
        request_id: ids.request_id,
        trace_id: ids.trace_id,
        denial,
        policy: policy.filter(|name| !name.is_empty()),
        findings: &findings,
        checkpoint_id: if let Error::WaitOver { id, .. } = error {
            Some(*id)
        } else {
            None
        },
    };
    // A struct of strings and numbers always serializes; an empty body would still carry the status.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = answer(answered.status, "application/problem+json", body);
    let headers = response.headers_mut();
    if let Some(seconds) = answered.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    match error {
        Error::Method(allow) => drop(headers.insert(ALLOW, HeaderValue::from_static(allow))),
        Error::Unauthenticated(error) => drop(headers.insert(WWW_AUTHENTICATE, error.challenge())),
        _ => {}
    }
    response
}

/// Adds the request's ids to the headers of an answer.
pub(crate) fn with_ids(mut response: Response<Body>, ids: RequestIds) -> Response<Body> {
    let headers = [
        (REQUEST_ID, Some(ids.request_id.to_string())),
        (TRACE_ID, ids.trace_id.map(|id| id.to_string())),
    ];
    for (name, id) in headers {
        if let Some(value) = id.and_then(|id| HeaderValue::try_from(id).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
