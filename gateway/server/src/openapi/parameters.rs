use serde_json::{Value, json};

use super::schemas::{date_time, uuid};
use crate::query::{PAGE, PAGE_MAX};
use crate::request_headers::REASON_MAX;

/// A DNS label of RFC 1123, as Kubernetes has it; its length is told beside it.
const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// Labels between dots; the length of the whole is told beside it.
const SUBDOMAIN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// What every call takes.
pub(super) const EVERY: [&str; 3] = ["X-Checkpoint-Reason", "traceparent", "tracestate"];
/// What a list takes.
pub(super) const LIST: [&str; 7] = [
    "filter.namespace",
    "filter.pod",
    "filter.container",
    "since",
    "until",
    "limit",
    "after",
];
/// What a download takes.
pub(super) const DOWNLOAD: [&str; 4] = ["view", "Range", "If-Range", "If-None-Match"];

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// By the names of path parameters in templates, and by names of ours.
pub(super) fn components() -> Value {
    json!({
        "namespace": path("namespace", "The pod's namespace.", &label()),
        "pod": path("pod", "The pod.", &json!({ "type": "string", "minLength": 1, "maxLength": 253, "pattern": SUBDOMAIN })),
        "container": path("container", "The container within the pod; init and ephemeral ones count.", &label()),
        "id": path("id", "The checkpoint's id, with lower-case digits and hyphens.", &uuid("A UUID of version 7.")),
        "timeout": query("timeout", "How long to wait, in seconds; 0 means the gateway's default. The checkpoint goes on when the wait is over.",
            &json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": u32::MAX, "default": 0 })),
        "filter.namespace": query("namespace", "Only of this namespace.", &json!({ "type": "string" })),
        "filter.pod": query("pod", "Only of this pod.", &json!({ "type": "string" })),
        "filter.container": query("container", "Only of this container.", &json!({ "type": "string" })),
        "since": query("since", "Only those that were begun then or later.", &date_time("A time of RFC 3339.")),
        "until": query("until", "Only those that were begun before.", &date_time("A time of RFC 3339.")),
        "limit": query("limit", "How many at most.",
            &json!({ "type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE })),
        "after": query("after", "Only those behind this one: the `next` of the page before.", &uuid("A checkpoint's id.")),
        "view": query("view", "The redacted archive, or the original as it is kept: an action of its own to policies.",
            &json!({ "type": "string", "enum": ["redacted", "original"], "default": "redacted" })),
        "X-Checkpoint-Reason": header("X-Checkpoint-Reason", "Why. It goes on record, and policies may demand it.",
            &json!({ "type": "string", "minLength": 1, "maxLength": REASON_MAX, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$" })),
        "traceparent": header("traceparent", "The caller's trace (W3C Trace Context), which is continued.",
            &json!({ "type": "string", "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"] })),
        "tracestate": header("tracestate", "What goes with `traceparent`.", &json!({ "type": "string" })),
        "Prefer": header("Prefer", "`respond-async`: do not wait for the end (RFC 7240).",
            &json!({ "type": "string", "examples": ["respond-async"] })),
        "Range": header("Range", "One range of bytes; several are answered with the whole.",
            &json!({ "type": "string", "examples": ["bytes=1048576-"] })),
        "If-Range": header("If-Range", "The `ETag` of what one has a part of: where it is another, the whole is sent.",
            &json!({ "type": "string" })),
        "If-None-Match": header("If-None-Match", "`ETag`s of what one has.", &json!({ "type": "string" })),
    })
}

fn label() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 63, "pattern": LABEL })
}

fn path(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema })
}

fn query(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

fn header(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "header", "description": description, "schema": schema })
}
