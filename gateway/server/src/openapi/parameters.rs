//! Describes the parameters of operations.

use serde_json::{Value, json};

use super::schemas::{date_time, uuid};
use crate::query::{PAGE, PAGE_MAX};
use crate::request_headers::REASON_MAX;

/// A DNS label (RFC 1123) as Kubernetes defines it, without its length.
const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// A DNS subdomain (RFC 1123) as Kubernetes defines it, without its length.
const SUBDOMAIN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// The parameters of every operation.
pub(super) const EVERY: [&str; 3] = ["X-Checkpoint-Reason", "traceparent", "tracestate"];
/// The parameters of a list.
pub(super) const LIST: [&str; 7] = [
    "filter.namespace",
    "filter.pod",
    "filter.container",
    "since",
    "until",
    "limit",
    "after",
];
/// The parameters of a download.
pub(super) const DOWNLOAD: [&str; 4] = ["view", "Range", "If-Range", "If-None-Match"];

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// Path parameters by their names in templates, the others by a name of their own.
pub(super) fn components() -> Value {
    json!({
        "namespace": path("namespace", "The pod's namespace.", &label()),
        "pod": path("pod", "The pod.", &json!({ "type": "string", "minLength": 1, "maxLength": 253, "pattern": SUBDOMAIN })),
        "container": path("container", "The container within the pod, which may be an init or ephemeral container.", &label()),
        "id": path("id", "The checkpoint's id.", &uuid("A UUID of version 7 in lower case with hyphens.")),
        "timeout": query("timeout", "How long to wait, in seconds; 0 means the gateway's default. The checkpoint continues after that time.",
            &json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": u32::MAX, "default": 0 })),
        "filter.namespace": query("namespace", "Only checkpoints in this namespace.", &json!({ "type": "string" })),
        "filter.pod": query("pod", "Only checkpoints of this pod.", &json!({ "type": "string" })),
        "filter.container": query("container", "Only checkpoints of this container.", &json!({ "type": "string" })),
        "since": query("since", "Only checkpoints that were begun at this time or later.", &date_time("A time of RFC 3339.")),
        "until": query("until", "Only checkpoints that were begun before this time.", &date_time("A time of RFC 3339.")),
        "limit": query("limit", "The largest number of checkpoints.",
            &json!({ "type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE })),
        "after": query("after", "Only checkpoints after this one: the `next` of the previous page.", &uuid("A checkpoint's id.")),
        "view": query("view", "The redacted archive, or the original. Policies decide about each separately.",
            &json!({ "type": "string", "enum": ["redacted", "original"], "default": "redacted" })),
        "X-Checkpoint-Reason": header("X-Checkpoint-Reason", "The reason for the request. It is recorded, and policies may require one.",
            &json!({ "type": "string", "minLength": 1, "maxLength": REASON_MAX, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$" })),
        "traceparent": header("traceparent", "The caller's trace (W3C Trace Context), which the gateway continues.",
            &json!({ "type": "string", "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"] })),
        "tracestate": header("tracestate", "The vendor-specific part of the caller's trace.", &json!({ "type": "string" })),
        "Prefer": header("Prefer", "`respond-async`: answer once all checks have passed (RFC 7240).",
            &json!({ "type": "string", "examples": ["respond-async"] })),
        "Range": header("Range", "One range of bytes. A request for several gets the whole file.",
            &json!({ "type": "string", "examples": ["bytes=1048576-"] })),
        "If-Range": header("If-Range", "The `ETag` of the file that the caller has a part of. If the file has another, the whole is sent.",
            &json!({ "type": "string" })),
        "If-None-Match": header("If-None-Match", "The `ETag`s of the files that the caller has.", &json!({ "type": "string" })),
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
