//! Masks the values of environment variables whose names suggest a secret.

use checkpoint_gateway_policy::bounds::{GLOB_STARS_MAX, TELLING_NAMES};
use checkpoint_gateway_policy::prelude::*;
use serde::Deserializer;

/// See `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    /// `None` stands for the built-in detectors.
    #[serde(deserialize_with = "some")]
    names: Option<Vec<String>>,
    also: Vec<String>,
    places: Places,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            names: None,
            also: Vec::new(),
            places: Places::all(),
        }
    }
}

/// The gateway's detectors that are used where no names are set: the first selects variables, the others find credentials
/// within addresses, such as a password in `DATABASE_URL`.
const DETECTORS: [&str; 3] = [TELLING_NAMES, "basic-auth-url", "connection-string"];

/// The policy: one rule per detector and name.
pub struct RedactEnvironment(Vec<MaskRule>);

impl Redactor for RedactEnvironment {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        let mut rules = match settings.names {
            Some(_) => Vec::new(),
            None => DETECTORS
                .map(|name| MaskRule::detector(name, settings.places))
                .to_vec(),
        };
        for name in settings.names.iter().flatten().chain(&settings.also) {
            if !could_match_a_variable(name) {
                return Err(format!(
                    "`{name}` matches no variable: use letters, digits, `_`, `.`, `-` and `*`"
                ));
            }
            if name.matches('*').count() > GLOB_STARS_MAX {
                return Err(format!("`{name}` has more than {GLOB_STARS_MAX} stars"));
            }
            let rule = MaskRule::env_value(name, settings.places);
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        if rules.is_empty() {
            return Err("`names` and `also` are both empty: the policy would mask nothing".into());
        }
        Ok(Self(rules))
    }

    fn redact(&self, _: &Request) -> Result<Plan, String> {
        Ok(Plan {
            mask: self.0.clone(),
            ..Plan::empty()
        })
    }
}

export_redactor!(RedactEnvironment);

/// A list that is there: `null` is none.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Vec::deserialize(deserializer).map(Some)
}

fn could_match_a_variable(glob: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'*');
    (1..=128).contains(&glob.len()) && glob.bytes().all(fits)
}
