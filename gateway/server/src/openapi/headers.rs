//! Describes the headers of answers.

use serde_json::{Map, Value, json};

use super::schemas::{constant, text, trace_id, uuid};

/// The headers of every answer.
const ALWAYS: [&str; 3] = ["x-request-id", "x-trace-id", "cache-control"];

/// References to the headers of every answer and to those in `more`.
pub(super) fn with(more: &[&str]) -> Value {
    let reference = |name: &&str| {
        let reference = json!({ "$ref": format!("#/components/headers/{name}") });
        ((*name).to_owned(), reference)
    };
    let headers = ALWAYS.iter().chain(more).map(reference);
    headers.collect::<Map<_, _>>().into()
}

pub(super) fn components() -> Value {
    json!({
        "x-request-id": required(uuid("The request's id in the log, the trace and the audit log.")),
        "x-trace-id": { "schema": trace_id("The request's trace (W3C Trace Context).") },
        "cache-control": required(constant("no-store")),
        "Location": required(json!({
            "type": "string",
            "format": "uri-reference",
            "pattern": "^/v1/checkpoints/",
            "description": "The checkpoint's future URL. It answers 404 until the checkpoint is stored, and if it fails.",
        })),
        "Preference-Applied": required(constant("respond-async")),
        "ETag": required(json!({
            "type": "string",
            "pattern": "^\"[0-9a-f]{64}\"$",
            "description": "The SHA-256 of the file, quoted.",
        })),
        "Accept-Ranges": required(constant("bytes")),
        "Content-Range": required(text("The range of bytes, and the length of the whole (RFC 9110, section 14.4).")),
        "Content-Disposition": required(text("The file's name.")),
        "Repr-Digest": required(json!({
            "type": "string",
            "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$",
            "description": "The SHA-256 of the whole file, even if only a part of it is sent (RFC 9530).",
        })),
        "Retry-After": { "schema": { "type": "integer", "minimum": 1, "description": "When to try again, in seconds." } },
        "Allow": required(text("The methods that the path has.")),
        "WWW-Authenticate": required(json!({
            "type": "string",
            "pattern": "^Bearer",
            "description": "The challenge of RFC 6750, section 3: without an `error` if no token was sent.",
        })),
    })
}

/// A header that its answers always have.
#[expect(clippy::needless_pass_by_value, reason = "a schema is used once")]
fn required(schema: Value) -> Value {
    json!({ "required": true, "schema": schema })
}
