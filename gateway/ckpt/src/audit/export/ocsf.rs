//! An event of the Open Cybersecurity Schema Framework, version 1.9.0: API Activity, class 6003
//! (<https://schema.ocsf.io/1.9.0/classes/api_activity>).

use gateway_core::{Action, Outcome, Record};
use serde_json::{Value, json};

use super::{began, path};

const VERSION: &str = "1.9.0";
const CATEGORY: u32 = 6;
const CLASS: u32 = 6003;

pub(super) fn event(record: &Record, outcome: &Outcome) -> Value {
    let (activity, name) = activity(outcome.action);
    let (status_id, status) = status(outcome);
    let (severity_id, severity) = severity(outcome);
    let mut event = json!({
        "category_uid": CATEGORY, "category_name": "Application Activity",
        "class_uid": CLASS, "class_name": "API Activity",
        "activity_id": activity, "activity_name": name,
        "type_uid": CLASS * 100 + activity, "type_name": format!("API Activity: {name}"),
        "severity_id": severity_id, "severity": severity,
        "status_id": status_id, "status": status,
        "time": began(record, outcome).as_millisecond(),
        "start_time": began(record, outcome).as_millisecond(),
        "end_time": record.at.as_millisecond(),
        "duration": outcome.duration_us / 1000,
        "metadata": {
            "version": VERSION,
            "uid": record.request_id,
            "correlation_uid": record.trace_id,
            "log_name": "audit",
            "logged_time": record.at.as_millisecond(),
            "product": { "name": "checkpoint-gateway", "vendor_name": "checkpoint-gateway", "version": env!("CARGO_PKG_VERSION") },
        },
        "actor": { "user": user(outcome) },
        "api": {
            "operation": outcome.action.map_or("other", Action::as_str),
            "service": { "name": "checkpoint-gateway" },
            "request": { "uid": record.request_id },
            "response": { "code": outcome.status, "error": outcome.code, "error_message": outcome.message },
        },
        "http_request": { "url": { "path": path(outcome) } },
        "http_response": { "code": outcome.status },
        "src_endpoint": source(outcome),
        "resources": resources(outcome),
        "unmapped": {
            "reason": outcome.reason, "verdicts": outcome.verdicts, "plan": outcome.plan.sha256, "hidden": outcome.hidden,
            "issuer": outcome.issuer, "suppressed": outcome.suppressed,
        },
    });
    without_nulls(&mut event);
    event
}

/// `activity_id`: 1 to 4 are create, read, update and delete; 0 is unknown.
fn activity(action: Option<Action>) -> (u32, &'static str) {
    match action {
        Some(Action::Create) => (1, "Create"),
        Some(Action::List | Action::Inspect | Action::Download | Action::DownloadOriginal) => {
            (2, "Read")
        }
        Some(Action::Hold) => (3, "Update"),
        Some(Action::Delete) => (4, "Delete"),
        None => (0, "Unknown"),
    }
}

fn status(outcome: &Outcome) -> (u32, &'static str) {
    match outcome.status {
        0 => (0, "Unknown"),
        _ if outcome.code.is_none() => (1, "Success"),
        _ => (2, "Failure"),
    }
}

/// Refused requests and failures of the gateway are raised above informational.
fn severity(outcome: &Outcome) -> (u32, &'static str) {
    match outcome.status {
        401 | 403 => (2, "Low"),
        0 | 500.. => (3, "Medium"),
        _ => (1, "Informational"),
    }
}

/// `user` must have a name or another mark; `type_id` 0 is unknown, 1 a user.
fn user(outcome: &Outcome) -> Value {
    let groups: Vec<_> = outcome
        .groups
        .iter()
        .map(|group| json!({ "name": group }))
        .collect();
    match &outcome.user {
        Some(user) => {
            json!({ "name": user, "uid": user, "type_id": 1, "type": "User", "groups": groups })
        }
        None => json!({ "name": "unknown", "type_id": 0, "type": "Unknown" }),
    }
}

/// `src_endpoint` is required, and must have an address or another mark.
fn source(outcome: &Outcome) -> Value {
    outcome.source_address.map_or_else(
        || json!({ "name": "unknown" }),
        |address| json!({ "ip": address }),
    )
}

fn resources(outcome: &Outcome) -> Value {
    let container = outcome.target.as_ref().map(
        |target| json!({ "type": "container", "name": target.to_string(), "namespace": target.namespace() }),
    );
    let checkpoint = outcome.checkpoint_id.map(|id| {
        json!({ "type": "checkpoint", "uid": id, "data": { "sha256": outcome.sha256, "bytes": outcome.bytes } })
    });
    container.into_iter().chain(checkpoint).collect()
}

/// Removes unknown values, which OCSF leaves out.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
