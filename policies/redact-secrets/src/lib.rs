//! Masks values that look like secrets.

use checkpoint_gateway_policy::bounds::{DETECTORS, TELLING_NAMES};
use checkpoint_gateway_policy::prelude::*;

/// See `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    detectors: Vec<String>,
    patterns: Vec<NamedPattern>,
    drop: Vec<String>,
    hide: Vec<String>,
    places: Places,
}

/// A pattern of the operator.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedPattern {
    name: String,
    regex: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            detectors: by_form().map(str::to_owned).collect(),
            patterns: Vec::new(),
            drop: Vec::new(),
            hide: Vec::new(),
            places: Places::all(),
        }
    }
}

/// The detectors that find secrets by their form. Names of variables are redact-environment's subject.
fn by_form() -> impl Iterator<Item = &'static str> {
    DETECTORS.into_iter().filter(|name| *name != TELLING_NAMES)
}

/// The policy. Its plan does not depend on the request.
pub struct RedactSecrets(Plan);

impl Redactor for RedactSecrets {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        let Settings {
            detectors,
            patterns,
            drop,
            hide,
            places,
        } = settings;
        if let Some(unknown) = detectors
            .iter()
            .find(|name| !DETECTORS.contains(&name.as_str()))
        {
            return Err(format!(
                "unknown detector `{unknown}`, expected one of {}",
                DETECTORS.join(", ")
            ));
        }
        if patterns
            .iter()
            .any(|pattern| pattern.name.is_empty() || pattern.regex.is_empty())
        {
            return Err("a pattern needs a `name` and a `regex`".into());
        }
        if drop.iter().chain(&hide).any(String::is_empty) {
            return Err("an entry of `drop` or `hide` is empty".into());
        }
        let detectors = detectors
            .iter()
            .map(|name| MaskRule::detector(name, places));
        let patterns = patterns
            .iter()
            .map(|pattern| MaskRule::regex(&pattern.name, &pattern.regex, places));
        let mask: Vec<_> = detectors.chain(patterns).collect();
        let drop: Vec<_> = drop.iter().map(|entry| DropRule::new(entry)).collect();
        if mask.is_empty() && drop.is_empty() && hide.is_empty() {
            return Err("all lists are empty: the policy would redact nothing".into());
        }
        Ok(Self(Plan { mask, drop, hide }))
    }

    fn redact(&self, _: &Request) -> Result<Plan, String> {
        Ok(self.0.clone())
    }
}

export_redactor!(RedactSecrets);
