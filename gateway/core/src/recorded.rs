//! The copy of a request that audit records keep, without hidden fields.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Archive, Container, HiddenField, Identity, Request};

/// A shorter hidden text is removed only if it is a whole value, since it may be part of any text.
const PART_MIN: usize = 4;

/// A request as an audit record keeps it: as policies got it, so that they or others can be asked again, without the fields
/// that its redaction plan hides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestRecord(Map<String, Value>);

impl RequestRecord {
    /// `request` without the `hidden` fields, and without their values elsewhere in it: claims name the user, and a label may
    /// have the value of another.
    pub fn of(request: &Request, hidden: &[HiddenField]) -> Self {
        // A request is always a JSON object: its maps have texts as keys.
        let Ok(Value::Object(mut fields)) = serde_json::to_value(request) else {
            return Self(Map::new());
        };
        let mut texts = Vec::new();
        for field in hidden {
            for path in paths(field) {
                remove(&mut fields, &path, &mut texts);
            }
        }
        if !texts.is_empty() {
            scrub(&mut fields, &texts);
        }
        Self(fields)
    }

    /// The request, if none of its fields is hidden and this program knows all of them.
    pub fn request(&self) -> Option<Request> {
        Request::deserialize(&self.0).ok()
    }

    /// The field at `path`.
    pub fn field(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.0.get(*first)?, |value, name| value.get(name))
    }
}

/// That of a [`Request`] whose fields may be missing where a plan can hide them.
impl JsonSchema for RequestRecord {
    fn schema_name() -> Cow<'static, str> {
        "RequestRecord".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let identity = Identity::json_schema(generator);
        let target = Container::json_schema(generator);
        let archive = optional(Archive::json_schema(generator), &["created_by"]);
        let archive = json_schema!({ "anyOf": [archive, { "type": "null" }] });
        let request = Request::json_schema(generator);
        let mut request = optional(request, &["reason", "source_address", "headers"]);
        let properties = request.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(properties) = properties {
            let identity = optional(identity, &["user", "groups", "claims"]);
            // Absent if it is hidden, and null if the caller gave none. Null stands first: it is meant, and stays.
            let reason =
                json_schema!({ "type": ["null", "string"], "description": "The caller's reason." });
            properties.insert("reason".to_owned(), reason.to_value());
            properties.insert("identity".to_owned(), identity.to_value());
            properties.insert("target".to_owned(), optional(target, &["image"]).to_value());
            properties.insert("archive".to_owned(), archive.clone().to_value());
            properties.insert("latest".to_owned(), archive.to_value());
        }
        request.insert(
            "description".to_owned(),
            "The request as policies got it, without the fields that the plan hides.".into(),
        );
        request
    }
}

/// `schema` of an object that may lack the properties `names`.
fn optional(mut schema: Schema, names: &[&str]) -> Schema {
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !name.as_str().is_some_and(|name| names.contains(&name)));
    }
    schema
}

/// The paths in the JSON of a request that show a hidden field.
fn paths(field: &HiddenField) -> Vec<Vec<&str>> {
    match field {
        HiddenField::User => vec![vec!["identity", "user"], vec!["identity", "claims"]],
        HiddenField::Groups => vec![vec!["identity", "groups"], vec!["identity", "claims"]],
        HiddenField::Claims => vec![vec!["identity", "claims"]],
        HiddenField::Claim(name) => vec![vec!["identity", "claims", name]],
        HiddenField::Image => vec![vec!["target", "image"]],
        HiddenField::Label(name) => vec![vec!["target", "labels", name]],
        HiddenField::Annotation(name) => vec![vec!["target", "annotations", name]],
        HiddenField::PodLabel(name) => vec![vec!["target", "pod_labels", name]],
        HiddenField::PodAnnotation(name) => vec![vec!["target", "pod_annotations", name]],
        HiddenField::Reason => vec![vec!["reason"]],
        HiddenField::SourceAddress => vec![vec!["source_address"]],
        HiddenField::Headers => vec![vec!["headers"]],
        HiddenField::ArchiveCreator => vec![vec!["archive", "created_by"]],
        HiddenField::LatestCreator => vec![vec!["latest", "created_by"]],
    }
}

/// Removes the value at `path`, and adds its text to `texts`.
fn remove(fields: &mut Map<String, Value>, path: &[&str], texts: &mut Vec<String>) {
    match path {
        [name] => {
            if let Some(value) = fields.remove(*name) {
                remember(&value, texts);
            }
        }
        [name, rest @ ..] => {
            if let Some(inner) = fields.get_mut(*name).and_then(Value::as_object_mut) {
                remove(inner, rest, texts);
            }
        }
        [] => {}
    }
}

/// A single text is searched for elsewhere; texts in a list or an object are not, since a group's name alone shows nothing.
fn remember(value: &Value, texts: &mut Vec<String>) {
    if let Value::String(text) = value
        && !text.is_empty()
    {
        texts.push(text.clone());
    }
}

/// Removes values that contain one of `texts` from the maps of the container and the caller, and from the reason.
fn scrub(fields: &mut Map<String, Value>, texts: &[String]) {
    let shows = |text: &str| {
        texts.iter().any(|hidden| {
            text == hidden || (hidden.len() >= PART_MIN && text.contains(hidden.as_str()))
        })
    };
    for place in [
        &["target", "labels"][..],
        &["target", "annotations"],
        &["target", "pod_labels"],
        &["target", "pod_annotations"],
        &["identity", "claims"],
        &["headers"],
        &["archive"],
        &["latest"],
    ] {
        if let Some(map) = object(fields, place) {
            map.retain(|_, value| !shows(value.as_str().unwrap_or(&value.to_string())));
        }
    }
    if fields
        .get("reason")
        .and_then(Value::as_str)
        .is_some_and(shows)
    {
        fields.remove("reason");
    }
}

fn object<'a>(
    fields: &'a mut Map<String, Value>,
    place: &[&str],
) -> Option<&'a mut Map<String, Value>> {
    let (first, rest) = place.split_first()?;
    let inner = fields.get_mut(*first)?.as_object_mut()?;
    if rest.is_empty() {
        Some(inner)
    } else {
        object(inner, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request() -> Request {
        let mut request: Request =
            serde_json::from_str(include_str!("../../../policies/sdk/default-request.json"))
                .unwrap();
        request.reason = Some("ada@example.com asked for it".to_owned());
        request
            .target
            .annotations
            .insert("made-of".to_owned(), request.target.image.clone());
        request
            .target
            .pod_labels
            .insert("owner".to_owned(), "ada".to_owned());
        request
    }

    fn recorded(hidden: &[&str]) -> (RequestRecord, String) {
        let hidden: Vec<_> = hidden.iter().map(|field| field.parse().unwrap()).collect();
        let record = RequestRecord::of(&request(), &hidden);
        let text = serde_json::to_string(&record).unwrap();
        (record, text)
    }

    #[test]
    fn restores_a_request_without_hidden_fields() {
        assert_eq!(recorded(&[]).0.request(), Some(request()));
        assert_eq!(
            recorded(&["headers"]).0.field(&["target", "pod"]),
            Some(&json!("cart-0"))
        );
    }

    #[test]
    fn removes_hidden_values_everywhere() {
        for (hidden, text) in [
            ("identity.user", "ada@example.com"),
            ("identity.groups", "developers"),
            ("identity.claims", "\"sub\""),
            ("identity.claims.sub", "\"sub\""),
            ("target.image", "cart:1.4.2"),
            ("target.annotations.made-of", "made-of"),
            ("target.pod-labels.app", "\"app\":\"cart\""),
            ("reason", "asked for it"),
            ("source-address", "192.0.2.10"),
        ] {
            let (_, told) = recorded(&[hidden]);
            assert!(
                recorded(&[]).1.contains(text) && !told.contains(text),
                "{hidden}: {told}"
            );
        }
    }

    #[test]
    fn does_not_search_for_short_texts() {
        let (_, told) = recorded(&["target.pod-labels.owner"]);
        assert!(
            !told.contains("\"owner\"") && told.contains("ada@example.com"),
            "{told}"
        );
    }
}
