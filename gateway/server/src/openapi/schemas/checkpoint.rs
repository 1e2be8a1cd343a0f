use gateway_core::{Place, Transport};
use serde_json::{Value, json};

use super::words::{map, words, yes_or_no};
use super::{count, date_time, list, object, or_null, reference, sha256, text, trace_id, uuid};

/// What not every checkpoint has.
const NOT_ALWAYS: [&str; 4] = ["redaction", "hidden", "original", "hold"];

pub(super) fn schemas() -> [(&'static str, Value); 13] {
    [
        ("Taken", taken()),
        (
            "Accepted",
            object(
                "A checkpoint that is under way.",
                json!({ "id": uuid("What it will be called.") }),
                &[],
            ),
        ),
        (
            "Checkpoint",
            object("What is known of a checkpoint.", properties(), &NOT_ALWAYS),
        ),
        ("InspectedCheckpoint", inspected()),
        ("CheckpointPage", page()),
        ("HeldCheckpoint", held()),
        ("Hold", hold()),
        ("Original", original()),
        ("Container", container()),
        ("RedactionSummary", summary()),
        ("RuleSummary", rule()),
        ("DropSummary", drop_rule()),
        ("Masked", masked()),
    ]
}

fn taken() -> Value {
    let path = text("The archive's absolute path on the node.");
    let items = json!({ "type": "array", "items": path, "minItems": 1, "maxItems": 1 });
    object(
        "A new checkpoint, in the kubelet's words.",
        json!({ "items": items }),
        &[],
    )
}

fn properties() -> Value {
    json!({
        "schema": count("The version of this format."),
        "id": uuid("The checkpoint's id."),
        "path": text("The archive's absolute path on the node."),
        "bytes": count("The archive's size in bytes."),
        "sha256": sha256("SHA-256 of the archive: what `sha256sum` prints."),
        "created_at": date_time("When the archive was begun."),
        "created_by": text("Whose user name asked for it."),
        "reason": or_null(text("Why, in the caller's words.")),
        "namespace": text("The pod's namespace."),
        "pod": text("The pod's name."),
        "container": text("The container's name in the pod."),
        "container_id": text("The container's full id."),
        "pod_uid": text("Kubernetes' UID of the pod."),
        "image": text("The container's image."),
        "facts": reference("Container"),
        "runtime": object("A container runtime, as it names itself.", json!({
            "name": text("`containerd`, `cri-o`, ..."),
            "version": text("Its own version."),
        }), &[]),
        "transport": words!(Transport: Fifo, File; "How the runtime handed the archive over."),
        "request_id": uuid("The request that made it."),
        "trace_id": or_null(trace_id("The trace of that request.")),
        "redaction": reference("RedactionSummary"),
        "hidden": list(&json!({ "type": "string" }), "The fields of that request which its plan keeps out of records."),
        "original": reference("Original"),
        "hold": reference("Hold"),
    })
}

fn inspected() -> Value {
    let mut properties = properties();
    if let Some(properties) = properties.as_object_mut() {
        properties.insert("inspection".to_owned(), reference("Inspection"));
    }
    object(
        "What is known of a checkpoint, and what is in its archive.",
        properties,
        &NOT_ALWAYS,
    )
}

fn page() -> Value {
    let properties = json!({
        "items": list(&reference("Checkpoint"), "The newest first."),
        "next": or_null(uuid("What to give as `after` for the next page; null where there is no more.")),
    });
    object("Checkpoints that the caller may see.", properties, &[])
}

fn held() -> Value {
    let properties = json!({ "id": uuid("The checkpoint."), "hold": reference("Hold") });
    object("A checkpoint that is pinned.", properties, &[])
}

fn hold() -> Value {
    let properties = json!({
        "by": text("Whose user name asked for it."),
        "at": date_time("Since when."),
        "reason": text("Why, in the caller's words."),
    });
    object(
        "Pins a checkpoint: neither a caller nor a quota nor its age removes it.",
        properties,
        &["reason"],
    )
}

fn original() -> Value {
    let properties = json!({
        "path": text("The file's absolute path on the node."),
        "bytes": count("The file's size in bytes: of the sealed file, where it is sealed."),
        "sha256": sha256("SHA-256 of the file: of the sealed file, where it is sealed."),
        "sealed": yes_or_no("Whether it is encrypted (age-encryption.org/v1)."),
        "recipients": count("How many can open the seal; none where it is not sealed."),
    });
    object(
        "The archive as the runtime wrote it, kept beside the redacted one.",
        properties,
        &[],
    )
}

fn container() -> Value {
    let properties = json!({
        "namespace": text("The pod's namespace."),
        "pod": text("The pod's name."),
        "container": text("The container's name in the pod."),
        "id": text("The runtime's full id."),
        "sandbox_id": text("The full id of the pod's sandbox."),
        "pod_uid": text("Kubernetes' UID of the pod."),
        "image": text("The image, as the pod names it where the runtime tells, else as the runtime resolved it."),
        "labels": map("The container's labels."),
        "annotations": map("The container's annotations."),
        "pod_labels": map("The pod's labels."),
        "pod_annotations": map("The pod's annotations."),
        "memory_bytes": or_null(count("Memory in use when it was asked for, in bytes.")),
    });
    object(
        "A container as the runtime told of it: what policies are asked about.",
        properties,
        &[],
    )
}

fn summary() -> Value {
    let properties = json!({
        "rules": list(&reference("RuleSummary"), "The plan's mask rules, also those that found nothing."),
        "dropped": list(&reference("DropSummary"), "The plan's drop rules, also those that found nothing."),
        "values_hidden": count("Distinct values of environment variables that were searched for everywhere."),
        "values_too_short": count("Distinct values that were masked in environments only."),
        "passes": count("How many times the archive was gone through."),
        "unreadable": list(&json!({ "type": "string" }), "Documents that were searched as plain bytes under every rule."),
    });
    object(
        "What redaction did: numbers and the plan's own words, never a value.",
        properties,
        &[],
    )
}

fn rule() -> Value {
    let properties = json!({
        "name": text("The rule's name."),
        "places": {
            "type": "object",
            "propertyNames": words!(Place: Spec, Memory, Logs, Files; "Where the rule looked."),
            "additionalProperties": reference("Masked"),
            "description": "What it hid, by place; places where it found nothing are left out.",
        },
    });
    object("What one mask rule did.", properties, &[])
}

fn drop_rule() -> Value {
    let properties = json!({
        "name": text("The rule's name."),
        "entry": text("What the plan told to leave out."),
        "entries": count("How many entries of the archive that were."),
    });
    object("What one drop rule did.", properties, &[])
}

fn masked() -> Value {
    let properties = json!({ "masks": count("Matches."), "bytes": count("Bytes in them.") });
    object("How often and how much was overwritten.", properties, &[])
}
