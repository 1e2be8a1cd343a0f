//! The interface's own description, and what of an answer is otherwise. Every answer that a [`Client`](super::Client) gets is
//! held against it, in whatever test.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use http::Method;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, TRANSFER_ENCODING};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::Answer;

/// Headers of HTTP itself, which OpenAPI does not describe.
const OF_HTTP: [http::HeaderName; 5] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    DATE,
    CONNECTION,
    TRANSFER_ENCODING,
];

/// As it is served.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(gateway_server::openapi::text()).unwrap());
    &DOCUMENT
}

/// The target of a `$ref`; any other value itself.
pub fn resolved(value: &'static Value) -> &'static Value {
    let Some(reference) = value["$ref"].as_str() else {
        return value;
    };
    let pointer = reference
        .strip_prefix('#')
        .unwrap_or_else(|| panic!("it leads away: {reference}"));
    document()
        .pointer(pointer)
        .unwrap_or_else(|| panic!("it leads nowhere: {reference}"))
}

/// Checks values against a schema of the document.
pub fn validator(schema: &Value) -> Validator {
    let mut schema = schema.clone();
    // So that references lead where they do in the document.
    schema["components"] = document()["components"].clone();
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

/// The operation with this method and path, if there is one.
pub fn operation(method: &Method, target: &str) -> Option<&'static Value> {
    let path = target.split('?').next().unwrap();
    let fits = |template: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template
                .zip(path)
                .all(|(name, segment)| name.starts_with('{') || name == segment)
    };
    let (_, item) = document()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .find(|(template, _)| fits(template))?;
    item.get(method.as_str().to_ascii_lowercase())
}

/// Fails where the answer is none that its call is described to have.
pub fn check(method: &Method, target: &str, answer: &Answer) {
    if !answer.headers.contains_key("x-request-id") {
        return; // An invalid HTTP request is answered before it reaches a handler.
    }
    let wrong = match operation(method, target) {
        Some(operation) => wrong(operation, answer),
        // A request that is not a call gets a problem.
        None if *method == Method::HEAD => Vec::new(),
        None => violations(
            &json!({ "$ref": "#/components/schemas/Problem" }),
            &answer.json(),
        ),
    };
    assert!(
        wrong.is_empty(),
        "{method} {target} is described otherwise: {wrong:#?}\n{answer:?}"
    );
}

fn wrong(operation: &'static Value, answer: &Answer) -> Vec<String> {
    let Some(response) = operation["responses"].get(answer.status.as_str()) else {
        return vec![format!("there is no status {}", answer.status)];
    };
    let response = resolved(response);
    let mut wrong = wrong_headers(&response["headers"], &answer.headers);
    let kind = answer
        .headers
        .get(CONTENT_TYPE)
        .map(|kind| kind.to_str().unwrap());
    match (response["content"].as_object(), kind) {
        (None, None) if answer.body.is_empty() => {}
        (Some(content), Some(kind)) => match content.get(kind) {
            None => wrong.push(format!("there is no {kind}")),
            Some(media) if kind.ends_with("json") => {
                wrong.extend(violations(&media["schema"], &answer.json()));
            }
            Some(_) => {}
        },
        (described, kind) => wrong.push(format!("{kind:?} for {described:?}")),
    }
    wrong
}

fn wrong_headers(described: &'static Value, headers: &HeaderMap) -> Vec<String> {
    let described = described.as_object().unwrap();
    let known: BTreeSet<_> = described
        .keys()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let unknown = headers
        .keys()
        .filter(|name| !OF_HTTP.contains(name) && !known.contains(name.as_str()));
    let mut wrong: Vec<_> = unknown
        .map(|name| format!("{name} is not described"))
        .collect();
    for (name, header) in described {
        let header = resolved(header);
        match headers.get(name) {
            None if header["required"] == true => wrong.push(format!("{name} is missing")),
            None => {}
            Some(value) => {
                let text = value.to_str().unwrap();
                let value = match header["schema"]["type"].as_str() {
                    Some("integer") => json!(text.parse::<u64>().unwrap()),
                    _ => json!(text),
                };
                wrong.extend(violations(&header["schema"], &value));
            }
        }
    }
    wrong
}

pub fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let validator = validator(schema);
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}
