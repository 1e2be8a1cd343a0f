//! The annotations in a specification, as they may be shown.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::text::TextBudget;

/// A whole object as somebody applied it, with everything in it: `kubectl apply` writes it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The most annotations that are listed.
const MAX_LIST: usize = 1000;
/// Bytes of a key, and of a value.
const MAX_KEY: usize = 512;
const MAX_VALUE: usize = 4 << 10;

/// The annotations with masked values.
pub(super) fn shown(
    annotations: BTreeMap<String, String>,
    texts: &mut TextBudget,
) -> BTreeMap<String, String> {
    let others = annotations
        .into_iter()
        .filter(|(key, _)| key != LAST_APPLIED);
    let shown = texts.list(others, MAX_LIST, |texts, (key, value)| {
        let value = without_last_applied(value);
        let key = texts.line(key.as_bytes(), MAX_KEY)?;
        Some((key, texts.masked_line(value.as_bytes(), MAX_VALUE)?))
    });
    shown.into_iter().collect()
}

/// CRI-O keeps the pod's annotations as JSON in one of its own.
fn without_last_applied(value: String) -> String {
    if !value.contains(LAST_APPLIED) {
        return value;
    }
    let Ok(mut inner) = serde_json::from_str::<Map<String, Value>>(&value) else {
        // It names the annotation in another form, which may have the object in it.
        return String::new();
    };
    inner.remove(LAST_APPLIED);
    let left = Value::Object(inner).to_string();
    if left.contains(LAST_APPLIED) {
        String::new()
    } else {
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_of(key: &str, value: &str) -> Vec<(String, String)> {
        let annotations = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        shown(annotations, &mut TextBudget::default())
            .into_iter()
            .collect()
    }

    #[test]
    fn values_are_masked_and_keys_are_not() {
        let key = "example.com/password";
        let value = "url: postgres://app:Tr0ub4dor-and-3@db";
        let masked = "url: postgres://app:***************@db";
        assert_eq!(shown_of(key, value), [(key.to_owned(), masked.to_owned())]);
    }

    #[test]
    fn leaves_out_what_kubectl_applied() {
        assert_eq!(shown_of(LAST_APPLIED, "{}"), []);
        let key = "io.kubernetes.cri-o.Annotations";
        let inner = format!(r#"{{"a":"1","{LAST_APPLIED}":"{{}}"}}"#);
        let left = (key.to_owned(), r#"{"a":"1"}"#.to_owned());
        assert_eq!(shown_of(key, &inner), [left]);
        let broken = (key.to_owned(), String::new());
        assert_eq!(shown_of(key, &inner[1..]), [broken]);
    }
}
