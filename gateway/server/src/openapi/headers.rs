use serde_json::{Map, Value, json};

use super::schemas::{constant, text, trace_id, uuid};

/// What every answer of the gateway's has.
const EVERY: [&str; 3] = ["x-request-id", "x-trace-id", "cache-control"];

/// The headers of an answer that has these beside those of every answer.
pub(super) fn with(more: &[&str]) -> Value {
    let all = EVERY.iter().chain(more);
    let headers = all.map(|name| {
        (
            (*name).to_owned(),
            json!({ "$ref": format!("#/components/headers/{name}") }),
        )
    });
    headers.collect::<Map<_, _>>().into()
}

pub(super) fn components() -> Value {
    let always = |schema: Value| json!({ "required": true, "schema": schema });
    let etag = json!({ "type": "string", "pattern": "^\"[0-9a-f]{64}\"$", "description": "The SHA-256 of the file, quoted." });
    json!({
        "x-request-id": always(uuid("Names the request in the log, the trace and the audit log.")),
        "x-trace-id": { "schema": trace_id("The request's trace (W3C Trace Context).") },
        "cache-control": always(constant("no-store")),
        "Location": always(json!({
            "type": "string",
            "format": "uri-reference",
            "pattern": "^/v1/checkpoints/",
            "description": "Where the checkpoint will be. Until it is there, and where it fails, the answer is 404.",
        })),
        "Preference-Applied": always(constant("respond-async")),
        "ETag": always(etag),
        "Accept-Ranges": always(constant("bytes")),
        "Content-Range": always(text("Which bytes these are, and of how many (RFC 9110, section 14.4).")),
        "Content-Disposition": always(text("The file's name.")),
        "Repr-Digest": always(json!({
            "type": "string",
            "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$",
            "description": "The SHA-256 of the whole file, also where only a part of it comes (RFC 9530).",
        })),
        "Retry-After": { "schema": { "type": "integer", "minimum": 1, "description": "When it is worth trying again, in seconds." } },
        "Allow": always(text("The methods that the path takes.")),
        "WWW-Authenticate": always(json!({
            "type": "string",
            "pattern": "^Bearer",
            "description": "The challenge of RFC 6750, section 3: without an `error` where no token was sent.",
        })),
    })
}
