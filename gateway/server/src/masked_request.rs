//! The texts of a request as they may be shown: secrets in them are masked, and the fields are named.

use std::collections::BTreeMap;

use gateway_core::{Request, Verdict};
use gateway_redact::TextMasker;
use serde_json::Value;

/// Claims that are names or ids (RFC 7519, section 4.1): they are never masked.
const NAMES: [&str; 4] = ["iss", "sub", "aud", "jti"];

/// A request with masked texts.
#[derive(Debug, Clone)]
pub(crate) struct MaskedRequest {
    pub(crate) request: Request,
    pub(crate) fields: MaskedFields,
}

/// The masked texts by field: `reason`, `image`, `labels[KEY]`, `claims[NAME]`, ...
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MaskedFields(BTreeMap<String, String>);

impl MaskedRequest {
    /// `request` as `texts` shows it.
    pub(crate) fn of(request: &Request, texts: &TextMasker) -> Self {
        let mut request = request.clone();
        let mut fields = texts.mask_container(&mut request.target);
        if let Some(shown) = request.reason.as_deref().and_then(|text| texts.mask(text)) {
            fields.insert("reason".to_owned(), shown.clone());
            request.reason = Some(shown);
        }
        let claims = request.identity.claims.iter_mut();
        for (name, claim) in claims.filter(|(name, _)| !NAMES.contains(&name.as_str())) {
            if mask_strings(claim, texts) {
                fields.insert(format!("claims[{name}]"), claim.to_string());
            }
        }
        Self {
            request,
            fields: MaskedFields(fields),
        }
    }
}

impl MaskedFields {
    /// The fields' names, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Adds the fields of `more`.
    pub(crate) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Adds fields that are masked already.
    pub(crate) fn add(&mut self, fields: impl IntoIterator<Item = String>) {
        for field in fields {
            self.0.entry(field).or_default();
        }
    }

    /// Adds the policies in whose words something is masked in `shown`.
    pub(crate) fn add_verdicts(&mut self, verdicts: &[Verdict], shown: &[Verdict]) {
        for (verdict, shown) in verdicts.iter().zip(shown) {
            if verdict != shown {
                let words = format!("{:?} {:?}", shown.decision, shown.annotations);
                self.0.insert(format!("verdicts[{}]", shown.policy), words);
            }
        }
    }

    /// The names of the fields in which more is masked here than in `before`.
    pub(crate) fn more_than(&self, before: &Self) -> Vec<String> {
        let more = self
            .0
            .iter()
            .filter(|(field, shown)| before.0.get(*field) != Some(shown));
        more.map(|(field, _)| field.clone()).collect()
    }
}

/// Masks all strings in a claim. Returns whether one has changed. Claims were parsed with a bounded depth.
fn mask_strings(value: &mut Value, texts: &TextMasker) -> bool {
    match value {
        Value::String(text) => {
            let shown = texts.mask(text);
            let masked = shown.is_some();
            *text = shown.unwrap_or_else(|| std::mem::take(text));
            masked
        }
        Value::Array(values) => {
            let mut masked = false;
            for value in values {
                masked |= mask_strings(value, texts);
            }
            masked
        }
        Value::Object(values) => {
            let mut masked = false;
            for value in values.values_mut() {
                masked |= mask_strings(value, texts);
            }
            masked
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
