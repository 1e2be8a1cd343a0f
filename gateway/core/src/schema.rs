//! JSON Schemas (draft 2020-12) of the vocabulary's types, as they are serialized in records, metadata and answers.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::{CheckpointId, HiddenField, RequestId, TraceId};

const UUID: &str = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";

/// Generates closed schemas: an object has no properties but those described. Schemas of objects go to `definitions`, such as
/// `/$defs`.
pub fn generator(definitions: &str) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = definitions.to_owned().into();
    settings
        .with_transform(RecursiveTransform(plain))
        .into_generator()
}

/// The names of an enum without data, as a schema of property names.
pub(crate) fn names<T: JsonSchema>() -> Value {
    let mut schema = T::json_schema(&mut generator("/$defs"));
    plain(&mut schema);
    json!({ "enum": schema.get("enum") })
}

/// One schema in the form that readers and generators of clients expect.
fn plain(schema: &mut Schema) {
    if let Some(names) = constants(schema) {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), "string".into());
        schema.insert("enum".to_owned(), names);
    }
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    absent_instead_of_null(schema);
    // Defaults matter to readers of values, and these schemas describe what is written.
    schema.remove("default");
    // Formats of Rust's own numbers are unknown elsewhere.
    let format = schema.get("format").and_then(Value::as_str);
    if format.is_some_and(|format| format.starts_with("uint")) {
        schema.insert("format".to_owned(), "int64".into());
    }
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        let text = unwrapped(text);
        schema.insert("description".to_owned(), text.into());
    }
}

/// A property that is left out if it has no value is never null.
fn absent_instead_of_null(schema: &mut Schema) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| {
        let names = required.as_array();
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if !is_required(name)
            && let Some(property) = property.as_object_mut()
        {
            remove_null(property);
        }
    }
}

fn remove_null(property: &mut Map<String, Value>) {
    if let Some([kind, Value::String(null)]) = property
        .get("type")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        && null == "null"
    {
        let kind = kind.clone();
        property.insert("type".to_owned(), kind);
    }
    let Some([Value::Object(some), null]) = property
        .get("anyOf")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    else {
        return;
    };
    if null.get("type").is_some_and(|kind| kind == "null") {
        let some = some.clone();
        property.remove("anyOf");
        for (key, value) in some {
            property.entry(key).or_insert(value);
        }
    }
}

/// A doc comment as a text: links into Rust's documentation are removed, and only paragraphs end a line.
fn unwrapped(text: &str) -> String {
    let text = text.replace("[`", "`").replace("`]", "`");
    let paragraphs = text.split("\n\n").map(|text| text.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// The names of an enum whose variants are constants.
fn constants(schema: &Schema) -> Option<Value> {
    let variants = schema.get("oneOf")?.as_array()?;
    let names: Option<Vec<_>> = variants
        .iter()
        .map(|variant| {
            variant
                .get("const")
                .filter(|name| name.is_string())
                .cloned()
        })
        .collect();
    names.map(Value::Array)
}

/// A text with a schema that stands where it is used.
macro_rules! text {
    ($(#[$doc:meta])* $type:ident: $schema:tt) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

/// SHA-256 as lower-case hex digits.
pub(crate) struct Sha256;

/// Bytes in base64 with padding (RFC 4648, section 4).
pub(crate) struct Base64;

text!(Sha256: { "type": "string", "pattern": "^[0-9a-f]{64}$" });
text!(Base64: { "type": "string", "pattern": "^[A-Za-z0-9+/]+=*$" });
text!(RequestId: { "type": "string", "format": "uuid", "pattern": UUID });
text!(CheckpointId: { "type": "string", "format": "uuid", "pattern": UUID });
text!(TraceId: { "type": "string", "pattern": "^[0-9a-f]{32}$" });
text!(HiddenField: { "type": "string" });
