use http::StatusCode;
use serde_json::{Value, json};

use super::headers;
use super::schemas::reference;
use crate::operation::Operation;

/// What a call is answered where it gets what it asked for. Of a download the answer without a part is among it: it is no
/// problem document.
pub(super) fn of(operation: Operation) -> Vec<(StatusCode, Value)> {
    let ok = |description, schema| vec![(StatusCode::OK, document(description, schema, &[]))];
    match operation {
        Operation::Checkpoint => vec![
            (StatusCode::OK, document("It is stored.", "Taken", &[])),
            (
                StatusCode::ACCEPTED,
                document(
                    "It is under way: what was asked for with `Prefer: respond-async`, once nothing but the runtime can refuse.",
                    "Accepted",
                    &["Location", "Preference-Applied"],
                ),
            ),
        ],
        Operation::List => ok(
            "Those that the caller may see, the newest first.",
            "CheckpointPage",
        ),
        Operation::Inspect => ok(
            "What is known of it, and what is in its archive.",
            "InspectedCheckpoint",
        ),
        Operation::Delete => vec![(StatusCode::NO_CONTENT, empty("It is gone.", &[]))],
        Operation::Download => archive(),
        Operation::Hold => ok(
            "It is pinned, from whenever it first was.",
            "HeldCheckpoint",
        ),
        Operation::Release => vec![(StatusCode::NO_CONTENT, empty("Nothing pins it.", &[]))],
        Operation::WhoAmI => ok("Who the gateway takes the caller for.", "Identity"),
        Operation::OpenApi => ok("This document.", "OpenApi"),
    }
}

fn archive() -> Vec<(StatusCode, Value)> {
    const FILE: [&str; 4] = [
        "ETag",
        "Accept-Ranges",
        "Content-Disposition",
        "Repr-Digest",
    ];
    const PART: [&str; 5] = [
        "ETag",
        "Accept-Ranges",
        "Content-Disposition",
        "Repr-Digest",
        "Content-Range",
    ];
    vec![
        (StatusCode::OK, bytes("All of it.", &FILE)),
        (
            StatusCode::PARTIAL_CONTENT,
            bytes("The part that `Range` asks for.", &PART),
        ),
        (
            StatusCode::NOT_MODIFIED,
            empty(
                "It is what the caller has, as `If-None-Match` says.",
                &["ETag", "Accept-Ranges"],
            ),
        ),
        (
            StatusCode::RANGE_NOT_SATISFIABLE,
            empty(
                "It has no such bytes.",
                &["ETag", "Accept-Ranges", "Content-Range"],
            ),
        ),
    ]
}

fn document(description: &str, schema: &str, more: &[&str]) -> Value {
    json!({
        "description": description,
        "headers": headers::with(more),
        "content": { "application/json": { "schema": reference(schema) } },
    })
}

/// `format` is what makers of clients tell a file by.
fn bytes(description: &str, more: &[&str]) -> Value {
    let file = |what: &str| json!({ "schema": { "type": "string", "format": "binary", "description": what } });
    json!({
        "description": description,
        "headers": headers::with(more),
        "content": {
            "application/x-tar": file("An archive."),
            "application/octet-stream": file("An original that is sealed (age-encryption.org/v1)."),
        },
    })
}

fn empty(description: &str, more: &[&str]) -> Value {
    json!({ "description": description, "headers": headers::with(more) })
}
