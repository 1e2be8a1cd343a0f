//! Describes the successful answers of each operation.

use gateway_core::Identity;
use http::StatusCode;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::Document;
use super::headers;
use super::schemas::reference;
use crate::bodies::{Accepted, CheckpointPage, HeldCheckpoint, InspectedCheckpoint, StoredArchive};
use crate::operation::Operation;

/// The answers that are not problem documents; a range that cannot be satisfied is one of them.
pub(super) fn of(operation: Operation) -> Vec<(StatusCode, Value)> {
    let ok = |answer| vec![(StatusCode::OK, answer)];
    let no_content = |description| vec![(StatusCode::NO_CONTENT, empty(description, &[]))];
    match operation {
        Operation::Checkpoint => checkpoint(),
        Operation::List => ok(json_body::<CheckpointPage>(
            "The checkpoints that the caller may see, the newest first.",
            &[],
        )),
        Operation::Inspect => ok(json_body::<InspectedCheckpoint<'_>>(
            "The checkpoint and the contents of its archive.",
            &[],
        )),
        Operation::Delete => no_content("The checkpoint is deleted."),
        Operation::Download => archive(),
        Operation::Hold => ok(json_body::<HeldCheckpoint<'_>>(
            "The checkpoint has a hold. An earlier hold stays as it was.",
            &[],
        )),
        Operation::Release => no_content("The checkpoint has no hold."),
        Operation::WhoAmI => ok(json_body::<Identity>("The caller's identity.", &[])),
        Operation::OpenApi => ok(json_body::<Document>("This document.", &[])),
    }
}

fn checkpoint() -> Vec<(StatusCode, Value)> {
    vec![
        (
            StatusCode::OK,
            json_body::<StoredArchive<'_>>("The checkpoint is stored.", &[]),
        ),
        (
            StatusCode::ACCEPTED,
            json_body::<Accepted>(
                "All checks have passed and the checkpoint is running. Only with `Prefer: respond-async`.",
                &["Location", "Preference-Applied"],
            ),
        ),
    ]
}

fn archive() -> Vec<(StatusCode, Value)> {
    const WHOLE: [&str; 4] = [
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
        (StatusCode::OK, file("The whole file.", &WHOLE)),
        (
            StatusCode::PARTIAL_CONTENT,
            file("The part that `Range` names.", &PART),
        ),
        (
            StatusCode::NOT_MODIFIED,
            empty(
                "The caller has this file already, by `If-None-Match`.",
                &["ETag", "Accept-Ranges"],
            ),
        ),
        (
            StatusCode::RANGE_NOT_SATISFIABLE,
            empty(
                "The file does not have the bytes that `Range` names.",
                &["ETag", "Accept-Ranges", "Content-Range"],
            ),
        ),
    ]
}

fn json_body<T: JsonSchema>(description: &str, more: &[&str]) -> Value {
    json!({
        "description": description,
        "headers": headers::with(more),
        "content": { "application/json": { "schema": reference::<T>() } },
    })
}

/// Generators of clients recognize a file by its `format`.
fn file(description: &str, more: &[&str]) -> Value {
    let binary = |description: &str| json!({ "schema": { "type": "string", "format": "binary", "description": description } });
    json!({
        "description": description,
        "headers": headers::with(more),
        "content": {
            "application/x-tar": binary("An archive."),
            "application/octet-stream": binary("A sealed original (age-encryption.org/v1)."),
        },
    })
}

fn empty(description: &str, more: &[&str]) -> Value {
    json!({ "description": description, "headers": headers::with(more) })
}
