//! An event of Kubernetes' audit log: `Event` of `audit.k8s.io/v1` (k8s.io/apiserver/pkg/apis/audit/v1).

use gateway_core::{Action, Decision, HiddenField, Outcome, Record};
use serde_json::{Map, Value, json};

use super::{began, path};

/// The prefix of our annotations' keys.
const PREFIX: &str = "checkpoint-gateway";
/// The API group of stored checkpoints, which Kubernetes does not know.
const GROUP: &str = "checkpoint-gateway";

pub(super) fn event(record: &Record, outcome: &Outcome) -> Value {
    let mut event = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": record.request_id,
        "stage": "ResponseComplete",
        "requestURI": path(outcome),
        "verb": verb(outcome.action),
        "user": user(outcome),
        "responseStatus": status(outcome),
        "requestReceivedTimestamp": micro(began(record, outcome)),
        "stageTimestamp": micro(record.at),
        "annotations": annotations(record, outcome),
    });
    if let Some(fields) = event.as_object_mut() {
        if let Some(address) = outcome.source_address {
            fields.insert("sourceIPs".to_owned(), json!([address]));
        }
        if let Some(object) = object(outcome) {
            fields.insert("objectRef".to_owned(), object);
        }
    }
    event
}

fn verb(action: Option<Action>) -> &'static str {
    match action {
        Some(Action::Create) => "create",
        Some(Action::List) => "list",
        Some(Action::Delete) => "delete",
        Some(Action::Hold) => "update",
        // For paths that are not resources, Kubernetes uses the method in lower case.
        Some(Action::Inspect | Action::Download | Action::DownloadOriginal) | None => "get",
    }
}

/// An unauthenticated caller has the name that Kubernetes gives to anonymous users.
fn user(outcome: &Outcome) -> Value {
    let hidden = outcome.hidden.contains(&HiddenField::User);
    let unknown = if hidden { "hidden" } else { "system:anonymous" };
    let mut user =
        json!({ "username": outcome.user.as_deref().unwrap_or(unknown), "groups": outcome.groups });
    if let (Some(issuer), Some(fields)) = (&outcome.issuer, user.as_object_mut()) {
        fields.insert(
            "extra".to_owned(),
            json!({ "checkpoint-gateway/issuer": [issuer] }),
        );
    }
    user
}

fn object(outcome: &Outcome) -> Option<Value> {
    let target = outcome.target.as_ref();
    if let (Some(Action::Create), Some(target)) = (outcome.action, target) {
        return Some(json!({
            "resource": "pods", "namespace": target.namespace(), "name": target.pod(),
            "apiVersion": "v1", "subresource": "checkpoint",
        }));
    }
    let id = outcome.checkpoint_id?;
    let subresource = match outcome.action {
        Some(Action::Download | Action::DownloadOriginal) => Some("archive"),
        Some(Action::Hold) => Some("hold"),
        _ => None,
    };
    let mut object =
        json!({ "resource": "checkpoints", "name": id, "apiGroup": GROUP, "apiVersion": "v1" });
    if let Some(fields) = object.as_object_mut() {
        fields.extend(target.map(|target| ("namespace".to_owned(), json!(target.namespace()))));
        fields
            .extend(subresource.map(|subresource| ("subresource".to_owned(), json!(subresource))));
    }
    Some(object)
}

/// `Status` of `meta/v1`.
fn status(outcome: &Outcome) -> Value {
    let mut status = json!({ "metadata": {}, "code": outcome.status });
    if let (Some(code), Some(fields)) = (&outcome.code, status.as_object_mut()) {
        fields.insert("status".to_owned(), "Failure".into());
        fields.insert("reason".to_owned(), json!(code));
        fields.extend(
            outcome
                .message
                .as_ref()
                .map(|message| ("message".to_owned(), json!(message))),
        );
    }
    status
}

/// Annotations, which are strings. The two keys of Kubernetes' own authorizers have the policies' decision.
fn annotations(record: &Record, outcome: &Outcome) -> Value {
    let mut notes = Map::new();
    if !outcome.verdicts.is_empty() {
        let decided = gateway_policy::decide(&outcome.verdicts);
        let word = if decided.is_ok() { "allow" } else { "forbid" };
        notes.insert("authorization.k8s.io/decision".to_owned(), word.into());
        let why = decided
            .err()
            .map(|(policy, denial)| format!("{policy}: {}", denial.code));
        notes.insert(
            "authorization.k8s.io/reason".to_owned(),
            why.unwrap_or_default().into(),
        );
    }
    let mut note = |name: &str, value: Option<String>| {
        notes.extend(value.map(|value| (format!("{PREFIX}/{name}"), Value::from(value))));
    };
    note("trace-id", record.trace_id.map(String::from));
    note("reason", outcome.reason.clone());
    note(
        "container",
        outcome
            .target
            .as_ref()
            .map(|target| target.container().to_owned()),
    );
    note(
        "checkpoint-id",
        outcome.checkpoint_id.map(|id| id.to_string()),
    );
    note("sha256", outcome.sha256.clone());
    note("bytes", outcome.bytes.map(|bytes| bytes.to_string()));
    note(
        "plan",
        Some(outcome.plan.sha256.clone()).filter(|digest| !digest.is_empty()),
    );
    for verdict in &outcome.verdicts {
        let said = match &verdict.decision {
            Decision::Allow => "allow".to_owned(),
            Decision::Abstain => "abstain".to_owned(),
            Decision::Deny(denial) => format!("deny {}", denial.code),
        };
        let digest = verdict.digest.as_deref().unwrap_or("-");
        note(
            &format!("policy-{}", verdict.policy),
            Some(format!(
                "{said} generation={} sha256={digest}",
                verdict.generation
            )),
        );
    }
    Value::Object(notes)
}

/// `MicroTime` of `meta/v1`: RFC 3339 with six digits behind the second.
fn micro(time: jiff::Timestamp) -> String {
    format!("{time:.6}")
}
