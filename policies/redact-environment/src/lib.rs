//! Masks the values of environment variables whose names suggest a secret.

use checkpoint_gateway_policy::bounds::GLOB_STARS_MAX;
use checkpoint_gateway_policy::prelude::*;

/// See `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    names: Vec<String>,
    also: Vec<String>,
    places: Places,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            names: NAMES.map(str::to_owned).to_vec(),
            also: Vec::new(),
            places: Places::all(),
        }
    }
}

/// Common names of secrets, as in shells and in configuration frameworks.
const NAMES: [&str; 24] = [
    "*PASSWORD*",
    "*PASSWD*",
    "*PASSPHRASE*",
    "*_PWD",
    "*SECRET*",
    "*TOKEN*",
    "*CREDENTIAL*",
    "*API_KEY*",
    "*APIKEY*",
    "*ACCESS_KEY*",
    "*PRIVATE_KEY*",
    "*ENCRYPTION_KEY*",
    "*SIGNING_KEY*",
    "*MASTER_KEY*",
    "*CONNECTION_STRING*",
    "*_DSN",
    "DATABASE_URL",
    "*_DATABASE_URL",
    "REDIS_URL",
    "MONGODB_URI",
    "AMQP_URL",
    "*password*",
    "*secret*",
    "*token*",
];

/// The policy: one rule per name.
pub struct RedactEnvironment(Vec<MaskRule>);

impl Redactor for RedactEnvironment {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        let mut rules = Vec::<MaskRule>::new();
        for name in settings.names.iter().chain(&settings.also) {
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

fn could_match_a_variable(glob: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'*');
    (1..=128).contains(&glob.len()) && glob.bytes().all(fits)
}
