//! Generates the JSON Schema of audit records from their types, and checks the published file against it.
//! `UPDATE=1 cargo test -p gateway-audit --test record_schema` writes the file.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use gateway_core::Record;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Value, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/record-v1.json");

/// Definitions that stand for an event's fields. Like the record itself they are open: a later build of the same version may
/// add fields.
const EVENTS: [&str; 5] = [
    "Outcome",
    "TreeHead",
    "KeyChange",
    "KeyRemoval",
    "SegmentStart",
];

/// One line of the audit log. Within one version of the format, fields and events are added; none is removed or changes its
/// meaning.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "A record of checkpoint-gateway's audit log")]
struct Line {
    /// The record's number in the log, from 0.
    seq: u64,
    /// SHA-256 of the previous line without its line end; 64 zeros in the first line.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    prev: String,
    #[serde(flatten)]
    record: Record,
}

fn generated() -> Value {
    let schema = gateway_core::schema::generator("/$defs").into_root_schema_for::<Line>();
    let mut schema = schema.to_value();
    by_event(&mut schema);
    open(&mut schema);
    for event in EVENTS {
        open(&mut schema["$defs"][event]);
    }
    remove_unused_definitions(&mut schema);
    schema
}

/// One condition for each event in place of a choice among them: readers must pass over events that they do not know.
fn by_event(schema: &mut Value) {
    let events = schema.as_object_mut().unwrap().remove("oneOf").unwrap();
    let condition = |event: &Value| {
        let mut event = event.clone();
        open(&mut event);
        let name = &event["properties"]["event"]["const"];
        assert!(name.is_string(), "{event}");
        json!({ "if": { "properties": { "event": { "const": name } } }, "then": event })
    };
    let conditions: Vec<_> = events.as_array().unwrap().iter().map(condition).collect();
    schema["allOf"] = conditions.into();
    schema["properties"]["event"] = json!({
        "type": "string",
        "description": "The event. Readers pass over events that they do not know.",
    });
    schema["required"]
        .as_array_mut()
        .unwrap()
        .push("event".into());
}

fn open(schema: &mut Value) {
    let closed = schema
        .as_object_mut()
        .unwrap()
        .remove("additionalProperties");
    assert_eq!(closed, Some(false.into()), "{schema}");
}

fn remove_unused_definitions(schema: &mut Value) {
    loop {
        let text = schema.to_string();
        let definitions = schema["$defs"].as_object_mut().unwrap();
        let before = definitions.len();
        definitions.retain(|name, _| text.contains(&format!("\"#/$defs/{name}\"")));
        if definitions.len() == before {
            return;
        }
    }
}

#[test]
fn published_schema_matches_the_types() {
    let text = serde_json::to_string_pretty(&generated()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let published = std::fs::read_to_string(Path::new(FILE)).unwrap();
    assert!(
        published == text,
        "{FILE} is out of date: run UPDATE=1 cargo test -p gateway-audit --test record_schema"
    );
}

#[test]
fn nested_objects_are_closed() {
    fn check(schema: &Schema, path: &str) {
        let value = schema.as_value();
        let is_closed = value.get("properties").is_none() || value["additionalProperties"] == false;
        let is_event = EVENTS.iter().any(|event| path == format!("/$defs/{event}"));
        assert!(is_closed || is_event, "{path}: {value}");
    }
    let schema = generated();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        let definition: Schema = definition.clone().try_into().unwrap();
        check(&definition, &format!("/$defs/{name}"));
    }
}
