use serde_json::{Map, Value, json};

/// A schema of the words of an enum, as they are in answers. A variant that is left out does not compile.
macro_rules! words {
    ($kind:ident: $($word:ident),+; $description:literal) => {{
        const _: fn($kind) = |word| { let ($($kind::$word)|+) = word; };
        serde_json::json!({ "type": "string", "enum": [$($kind::$word),+], "description": $description })
    }};
}
pub(super) use words;

/// An object of these properties and no others; not all of those that `may_lack` names are always there.
pub(in crate::openapi) fn object(description: &str, properties: Value, may_lack: &[&str]) -> Value {
    let names = properties.as_object().into_iter().flat_map(Map::keys);
    let required: Vec<_> = names
        .filter(|name| !may_lack.contains(&name.as_str()))
        .cloned()
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": description,
        "required": required,
        "additionalProperties": false,
    });
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("properties".to_owned(), properties);
    }
    schema
}

pub(in crate::openapi) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(in crate::openapi) fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

/// This text and no other.
pub(in crate::openapi) fn constant(text: &str) -> Value {
    json!({ "type": "string", "const": text })
}

/// A number of something, from 0.
pub(in crate::openapi) fn count(description: &str) -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 0, "description": description })
}

pub(in crate::openapi) fn yes_or_no(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

pub(in crate::openapi) fn list(items: &Value, description: &str) -> Value {
    json!({ "type": "array", "items": items, "description": description })
}

/// Texts under names of somebody else's.
pub(in crate::openapi) fn map(description: &str) -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" }, "description": description })
}

pub(in crate::openapi) fn date_time(description: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": description })
}

/// An id has one spelling only.
pub(in crate::openapi) fn uuid(description: &str) -> Value {
    json!({
        "type": "string",
        "format": "uuid",
        "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        "description": description,
    })
}

pub(in crate::openapi) fn trace_id(description: &str) -> Value {
    json!({ "type": "string", "pattern": "^[0-9a-f]{32}$", "description": description })
}

pub(in crate::openapi) fn sha256(description: &str) -> Value {
    json!({ "type": "string", "pattern": "^[0-9a-f]{64}$", "description": description })
}

/// The same, or null where it is not known.
pub(in crate::openapi) fn or_null(schema: Value) -> Value {
    match schema {
        Value::Object(mut plain) if plain.contains_key("type") && !plain.contains_key("enum") => {
            if let Some(kind) = plain.remove("type") {
                plain.insert("type".to_owned(), json!([kind, "null"]));
            }
            Value::Object(plain)
        }
        other => json!({ "anyOf": [other, { "type": "null" }] }),
    }
}
