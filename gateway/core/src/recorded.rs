use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Request;

/// A hidden text that is shorter is looked for as a whole value only: it may be part of anything.
const PART_MIN: usize = 4;

/// A request as a record keeps it: what the policies were given, so that they, or others, can be asked again; without what
/// its redaction plan hides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestRecord(Map<String, Value>);

impl RequestRecord {
    /// `request` without the `hidden` fields, by the names that a plan gives them. What tells the same elsewhere in it goes,
    /// too: claims name the user, and a label may have the value of another.
    pub fn of(request: &Request, hidden: &[String]) -> Self {
        // A request is always a JSON object: its maps have texts as keys.
        let Ok(Value::Object(mut fields)) = serde_json::to_value(request) else {
            return Self(Map::new());
        };
        let mut texts = Vec::new();
        for field in hidden {
            for place in places(field) {
                take(&mut fields, &place, &mut texts);
            }
        }
        if !texts.is_empty() {
            scrub(&mut fields, &texts);
        }
        Self(fields)
    }

    /// The request, where nothing of it is hidden and this program knows all of it.
    pub fn request(&self) -> Option<Request> {
        Request::deserialize(&self.0).ok()
    }

    /// A field of it, by its path.
    pub fn field(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.0.get(*first)?, |value, name| value.get(name))
    }
}

/// Where in the JSON of a request a field of a plan is, and what else tells it.
fn places(field: &str) -> Vec<Vec<&str>> {
    let mut parts = field.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("identity"), Some("user"), None) => {
            vec![vec!["identity", "user"], vec!["identity", "claims"]]
        }
        (Some("identity"), Some("groups"), None) => {
            vec![vec!["identity", "groups"], vec!["identity", "claims"]]
        }
        (Some("source-address"), None, None) => vec![vec!["source_address"]],
        (Some(part), Some("pod-labels"), Some(name)) => vec![vec![part, "pod_labels", name]],
        (Some(part), Some("pod-annotations"), Some(name)) => {
            vec![vec![part, "pod_annotations", name]]
        }
        (Some(part), Some(map), Some(name)) => vec![vec![part, map, name]],
        (Some(part), Some(name), None) => vec![vec![part, name]],
        (Some(part), None, None) => vec![vec![part]],
        _ => Vec::new(),
    }
}

/// Takes what is at `place` out, and remembers its text.
fn take(fields: &mut Map<String, Value>, place: &[&str], texts: &mut Vec<String>) {
    match place {
        [name] => {
            if let Some(value) = fields.remove(*name) {
                remember(&value, texts);
            }
        }
        [name, rest @ ..] => {
            if let Some(inner) = fields.get_mut(*name).and_then(Value::as_object_mut) {
                take(inner, rest, texts);
            }
        }
        [] => {}
    }
}

/// A single text is looked for elsewhere. Those in a list or an object are not: a group's name stands for itself.
fn remember(value: &Value, texts: &mut Vec<String>) {
    if let Value::String(text) = value
        && !text.is_empty()
    {
        texts.push(text.clone());
    }
}

/// Takes out what shows one of `texts`: in the maps of the container and the caller, and in what others have written.
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
        let hidden: Vec<_> = hidden.iter().map(|field| (*field).to_owned()).collect();
        let record = RequestRecord::of(&request(), &hidden);
        let text = serde_json::to_string(&record).unwrap();
        (record, text)
    }

    #[test]
    fn a_request_of_which_nothing_is_hidden_can_be_asked_again() {
        assert_eq!(recorded(&[]).0.request(), Some(request()));
        assert_eq!(
            recorded(&["headers"]).0.field(&["target", "pod"]),
            Some(&json!("cart-0"))
        );
    }

    #[test]
    fn what_is_hidden_is_told_nowhere_in_it() {
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
    fn a_short_text_is_not_looked_for_in_others() {
        let (_, told) = recorded(&["target.pod-labels.owner"]);
        assert!(
            !told.contains("\"owner\"") && told.contains("ada@example.com"),
            "{told}"
        );
    }
}
